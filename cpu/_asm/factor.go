package main

import (
	"github.com/gmind-go/compute/internal/ir"
)

// factored returns p with where(c, 1, a) * x for where(c, x, a*x), which is the same, as a
// product with 1 is exact: a factor is selected faster than two floats, which have to become
// integers for it.
func factored(p *ir.Program) *ir.Program {
	var b ir.Builder
	values := make([]ir.Value, len(p.Nodes))
	for i, a := range p.Args {
		v := b.Arg(a.Name, a.Type)
		for j, n := range p.Nodes {
			if n.Op == ir.Arg && n.Imm == uint64(i) {
				values[j] = v
			}
		}
	}
	for i, n := range p.Nodes {
		if n.Op == ir.Const {
			values[i] = b.Const(n.Type, n.Imm)
		}
		if n.Op <= ir.Const {
			continue
		}
		in := make([]ir.Value, len(n.Operands()))
		for j, x := range n.Operands() {
			in[j] = values[x]
		}
		if n.Op == ir.WhereF32 {
			if a, ok := factor(p, n.In[1], n.In[2]); ok {
				values[i] = b.Op(ir.MulF32, b.Op(ir.WhereF32, in[0], b.Float32(1), values[a]), in[1])
				continue
			}
			if a, ok := factor(p, n.In[2], n.In[1]); ok {
				values[i] = b.Op(ir.MulF32, b.Op(ir.WhereF32, in[0], values[a], b.Float32(1)), in[2])
				continue
			}
		}
		values[i] = b.Op(n.Op, in...)
	}
	for _, r := range p.Results {
		b.Result(r.Name, values[r.Value])
	}
	return b.Program(p.Name)
}

// factor returns a if y is a*x.
func factor(p *ir.Program, x, y ir.Value) (a ir.Value, ok bool) {
	n := p.Nodes[y]
	switch {
	case n.Op != ir.MulF32:
		return 0, false
	case n.In[0] == x:
		return n.In[1], true
	}
	return n.In[0], n.In[1] == x
}
