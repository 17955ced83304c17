package libm

import "github.com/gmind-go/compute/internal/ir"

// Inlined returns p with the bodies of functions in place of their calls. It computes the same
// bits, and its Eval is faster than that of p, whose functions are computed to any precision.
func Inlined(p *ir.Program) *ir.Program {
	var b ir.Builder
	args := make([]ir.Value, len(p.Args))
	for i, a := range p.Args {
		args[i] = b.Arg(a.Name, a.Type)
	}
	values := make([]ir.Value, len(p.Nodes))
	for i, n := range p.Nodes {
		for j, x := range n.Operands() {
			n.In[j] = values[x]
		}
		body := Body(n.Op)
		switch {
		case n.Op == ir.Arg:
			values[i] = args[n.Imm]
		case n.Op == ir.Const:
			values[i] = b.Const(n.Type, n.Imm)
		case body != nil:
			values[i] = b.Inline(body, n.In[:1])[body.Results[0].Value]
		default:
			values[i] = b.Op(n.Op, n.Operands()...)
		}
	}
	for _, r := range p.Results {
		b.Result(r.Name, values[r.Value])
	}
	return b.Program(p.Name)
}
