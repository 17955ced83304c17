package main

import (
	"errors"
	"math"
	"slices"

	"github.com/gmind-go/compute/internal/ir"
)

// A hoist is a value that is the same for all elements.
type hoist struct {
	what string // const, double (a constant of 64 bits), param, minus (a param with the other sign), or blockBits
	bits uint64 // of the constant, or the index
}

const done = math.MaxInt32 // later than every node

var errRegisters = errors.New("more values are live than there are registers")

// fuse finds the nodes that become a part of another, and the last use of each.
func (f *neonFunc) fuse() {
	nodes := f.body.Nodes
	uses := make([]int, len(nodes))
	for _, n := range nodes {
		for _, x := range n.Operands() {
			uses[x]++
		}
	}
	for _, r := range f.body.Results {
		uses[r.Value]++
	}
	f.fused, f.last = make([]bool, len(nodes)), make([]int, len(nodes))
	for i, n := range nodes {
		if _, _, ok := f.rotation(ir.Value(i)); ok && uses[n.In[0]] == 1 && uses[n.In[1]] == 1 {
			f.fused[n.In[0]], f.fused[n.In[1]] = true, true
		}
		f.fused[i] = f.fused[i] || sameBits(n.Op) || n.Op == ir.NegF64 && f.onlyFactor(ir.Value(i))
	}
	for i := range nodes {
		if f.fused[i] {
			continue
		}
		for _, x := range f.operands(ir.Value(i)) {
			f.last[x] = i
		}
	}
	for _, r := range f.body.Results {
		f.last[f.root(r.Value)] = done
	}
}

// sameBits reports whether the result of op is its operand, in the same register.
func sameBits(op ir.Op) bool { return op == ir.FromBits || op == ir.BitsF64 || op == ir.FromBitsF64 }

// root returns the node whose registers v has.
func (f *neonFunc) root(v ir.Value) ir.Value {
	for f.fused[v] && (sameBits(f.body.Nodes[v].Op) || f.body.Nodes[v].Op == ir.NegF64) {
		v = f.body.Nodes[v].In[0]
	}
	return v
}

// rotation returns x and the count if v is x rotated left.
func (f *neonFunc) rotation(v ir.Value) (x ir.Value, left uint64, ok bool) {
	nodes := f.body.Nodes
	n := nodes[v]
	if n.Op != ir.OrU32 {
		return 0, 0, false
	}
	l, r := nodes[n.In[0]], nodes[n.In[1]]
	if l.Op != ir.ShlU32 || r.Op != ir.ShrU32 || l.In[0] != r.In[0] || nodes[l.In[1]].Op != ir.Const || nodes[r.In[1]].Op != ir.Const {
		return 0, 0, false
	}
	left = nodes[l.In[1]].Imm
	return l.In[0], left, left+nodes[r.In[1]].Imm == 32
}

// operands returns those of v that have to be in registers while it is computed.
func (f *neonFunc) operands(v ir.Value) []ir.Value {
	n := &f.body.Nodes[v]
	if x, _, ok := f.rotation(v); ok && f.fused[n.In[0]] {
		return []ir.Value{x}
	}
	in := slices.Clone(n.Operands())
	for i, x := range in {
		in[i] = f.root(x)
	}
	return in
}

// hoist returns the register of what is the same for all elements. It takes the highest
// register that no loop has used.
func (f *neonFunc) hoist(h hoist) int {
	if f.constants != nil && isConst(h) && !f.constants[h] {
		return f.temporary(h)
	}
	if r, ok := f.hoisted[h]; ok {
		return r
	}
	for r := 31; r >= 0; r-- {
		if !f.touched[r] && !f.busy[r] {
			f.hoisted[h], f.busy[r] = r, true
			f.order = append(f.order, h)
			return r
		}
	}
	f.err = errRegisters
	return 0
}

// take returns a free register.
func (f *neonFunc) take() int {
	for r, busy := range f.busy {
		if !busy {
			f.busy[r], f.touched[r] = true, true
			return r
		}
	}
	f.err = errRegisters
	return 0
}

// uniform reports whether v is a constant or a parameter, and which.
func (f *neonFunc) uniform(v ir.Value) (hoist, bool) {
	n := f.body.Nodes[v]
	switch {
	case n.Op == ir.Const:
		return constantOf(n), true
	case n.Op == ir.Arg && n.Imm >= uint64(len(f.inputs)):
		return hoist{"param", uint64(f.params[int(n.Imm)-len(f.inputs)])}, true
	}
	return hoist{}, false
}

// reg returns the register of vector u of v.
func (f *neonFunc) reg(v ir.Value, u int) int {
	v = f.root(v)
	if h, ok := f.uniform(v); ok {
		return f.hoist(h)
	}
	return f.at[v][u]
}

// dies reports whether only the node by needs v, so that its registers may be overwritten.
func (f *neonFunc) dies(v, by ir.Value) bool {
	_, uniform := f.uniform(v)
	return !uniform && f.last[v] == int(by)
}

// isZero reports whether v is the constant 0 or -0.
func (f *neonFunc) isZero(v ir.Value) bool {
	n := f.body.Nodes[v]
	return n.Op == ir.Const && n.Type == ir.F32 && n.Imm&math.MaxInt32 == 0
}

// over returns the register of one of the operands that only v needs, or a free one.
func (f *neonFunc) over(v ir.Value, u int, operands ...ir.Value) int {
	for _, x := range operands {
		if f.dies(x, v) {
			return f.at[x][u]
		}
	}
	return f.take()
}
