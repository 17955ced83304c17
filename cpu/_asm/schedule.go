package main

import (
	"cmp"
	"slices"

	"github.com/gmind-go/compute/internal/ir"
)

// scheduled returns p with its nodes in another order: of the operands of a node, the one that
// takes most operations comes first, so that few values wait for it. A condition on the argument,
// for instance, comes after the values between which it selects.
func scheduled(p *ir.Program) *ir.Program {
	size := make([]float64, len(p.Nodes)) // of the tree of a node: it may be exponential
	for i, n := range p.Nodes {
		size[i] = 1
		for _, x := range n.Operands() {
			size[i] += size[x]
		}
	}
	q := &ir.Program{Name: p.Name, Args: p.Args, Tables: p.Tables}
	moved := make([]ir.Value, len(p.Nodes)) // where a node is, plus 1
	var move func(v ir.Value) ir.Value
	move = func(v ir.Value) ir.Value {
		if moved[v] == 0 {
			n := p.Nodes[v]
			operands := slices.Clone(n.Operands())
			slices.SortStableFunc(operands, func(x, y ir.Value) int { return cmp.Compare(size[y], size[x]) })
			for _, x := range operands {
				move(x)
			}
			for i, x := range n.Operands() {
				n.In[i] = move(x)
			}
			q.Nodes = append(q.Nodes, n)
			moved[v] = ir.Value(len(q.Nodes))
		}
		return moved[v] - 1
	}
	for _, r := range p.Results {
		q.Results = append(q.Results, ir.Result{Name: r.Name, Value: move(r.Value)})
	}
	return q
}
