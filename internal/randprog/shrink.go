package randprog

import "github.com/gmind-go/compute/internal/ir"

// Shrink returns a program for which fails is true, as it must be for p, and of which no part
// can be left out: a result, or an operation in place of which one of its operands, or 0, would
// do.
func Shrink(p *ir.Program, fails func(*ir.Program) bool) *ir.Program {
	for {
		smaller := step(p, fails)
		if smaller == nil {
			return p
		}
		p = smaller
	}
}

// step returns the first smaller program that fails, or nil.
func step(p *ir.Program, fails func(*ir.Program) bool) *ir.Program {
	for i := range p.Results {
		if len(p.Results) == 1 {
			break
		}
		q := *p
		q.Results = append(append([]ir.Result{}, p.Results[:i]...), p.Results[i+1:]...)
		if r := replace(&q, -1, 0); fails(r) {
			return r
		}
	}
	for v := len(p.Nodes) - 1; v >= 0; v-- {
		if p.Nodes[v].Op <= ir.Const {
			continue
		}
		for _, x := range p.Nodes[v].Operands() {
			if p.Nodes[x].Type != p.Nodes[v].Type {
				continue
			}
			if q := replace(p, ir.Value(v), x); fails(q) {
				return q
			}
		}
		if q := replace(p, ir.Value(v), -1); fails(q) {
			return q
		}
	}
	return nil
}

// replace returns p with the node x in place of v, or a constant 0 if x is negative, and
// without what no result needs then.
func replace(p *ir.Program, v, x ir.Value) *ir.Program {
	b := &ir.Builder{}
	args := make([]ir.Value, len(p.Args))
	for i, a := range p.Args {
		args[i] = b.Arg(a.Name, a.Type)
	}
	values := make([]ir.Value, len(p.Nodes))
	for i, n := range p.Nodes {
		switch {
		case ir.Value(i) == v && x < 0:
			values[i] = b.Const(n.Type, 0)
		case ir.Value(i) == v:
			values[i] = values[x]
		case n.Op == ir.Arg:
			values[i] = args[n.Imm]
		case n.Op == ir.Const:
			values[i] = b.Const(n.Type, n.Imm)
		default:
			var operands []ir.Value
			for _, o := range n.Operands() {
				operands = append(operands, values[o])
			}
			values[i] = b.Op(n.Op, operands...)
		}
	}
	for _, r := range p.Results {
		b.Result(r.Name, values[r.Value])
	}
	return b.Program(p.Name)
}
