package main

import (
	"log"
	"maps"
	"slices"

	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// A body is the program of a function, written for the vector that begins with element first.
// A value is computed where it is first used, and what is not used is not computed.
type body struct {
	*routine
	first  int
	lanes  reg.Register // the elements to compute, or nil for all
	values []value      // by node
	known  []bool       // by node, whether it is computed
	left   []int        // by node, the uses to come; results have one that never comes
}

// A value is in a vector. A bool is all ones or zeros there; AVX-512 has it in mask registers
// too: whether it is true, and whether it is false. What is not computed yet is nil.
type value struct {
	vector  reg.VecVirtual
	is, not reg.Register
	wide    wide            // of 64 bits
	upper   [2]reg.Register // masks of the upper half of the elements: not, is
}

// invariants loads and computes what is the same for all vectors, into registers.
func (f *routine) invariants() {
	f.uniform = make([]bool, len(f.body.Nodes))
	f.invariant = map[ir.Value]reg.VecVirtual{}
	if f.constants == nil {
		f.constants, f.loaded = map[bits32]reg.VecVirtual{}, map[bits32]bool{}
	}
	f.kept = map[bits64]reg.VecVirtual{}
	if f.wanted == nil {
		f.wanted, f.stored = map[bits64]int{}, map[bits64]bool{}
		f.tables = map[ir.Table]reg.VecVirtual{}
	}
	if !f.hoist {
		for _, t := range f.body.Tables {
			f.tables[t] = nil // but needed
		}
		return
	}
	for _, c := range slices.Sorted(maps.Keys(f.constants)) {
		if c != lane1 || !f.wide() { // which only the tail needs
			f.constants[c] = f.load(c)
		}
	}
	for _, t := range f.body.Tables {
		f.tables[t] = f.lower(t)
	}
	for _, c := range f.numbers[:f.keep] {
		f.kept[c] = f.set.vector(f)
		f.VBROADCASTSD(f.number(c), f.kept[c])
	}
	b := f.newBody(0, nil)
	for _, v := range f.frontier() {
		f.invariant[v] = b.vector(v)
	}
}

// frontier returns the values that are the same for all elements, but constants, and that
// others or the results need.
func (f *routine) frontier() []ir.Value {
	needed := make([]bool, len(f.body.Nodes))
	for i, n := range f.body.Nodes {
		switch n.Op {
		case ir.Const:
			f.uniform[i] = true
		case ir.Arg:
			f.uniform[i] = int(n.Imm) >= len(f.inputs)
		default:
			f.uniform[i] = !n.Type.Wide()
			for _, x := range n.Operands() {
				f.uniform[i] = f.uniform[i] && f.uniform[x]
			}
		}
		for _, x := range n.Operands() {
			needed[x] = needed[x] || !f.uniform[i]
		}
	}
	for _, r := range f.body.Results {
		needed[r.Value] = true
	}
	var list []ir.Value
	for i, n := range f.body.Nodes {
		if needed[i] && f.uniform[i] && n.Op != ir.Const {
			list = append(list, ir.Value(i))
		}
	}
	return list
}

// constant returns a vector with the constant in each element, which is not to be changed.
func (f *routine) constant(c bits32) reg.VecVirtual {
	if v := f.constants[c]; v != nil {
		return v
	}
	f.constants[c] = nil // but needed
	return f.load(c)
}

func (f *routine) load(c bits32) reg.VecVirtual {
	v := f.set.vector(f)
	if c != 0 {
		f.loaded[c] = true
	}
	switch c {
	case 0:
		f.VXORPS(v.AsX(), v.AsX(), v.AsX()) // clears the whole register
	case lane1:
		f.VMOVDQU(c.address(), v)
	default:
		f.VBROADCASTSS(c.address(), v)
	}
	return v
}

func (f *routine) newBody(first int, lanes reg.Register) *body {
	nodes := f.body.Nodes
	f.uses = uses(f.body)
	b := &body{f, first, lanes, make([]value, len(nodes)), make([]bool, len(nodes)), make([]int, len(nodes))}
	for v, register := range f.invariant {
		b.values[v].vector = register
	}
	for _, u := range f.uses {
		for _, x := range u.in {
			b.left[x]++
		}
	}
	for _, r := range f.body.Results {
		b.left[r.Value]++
	}
	return b
}

// vector returns the vector of v, which is not to be changed.
func (b *body) vector(v ir.Value) reg.VecVirtual {
	if r := b.values[v].vector; r != nil {
		return r
	}
	r := b.compute(v)
	if !b.repeats(v) {
		b.values[v].vector = r
	}
	b.done(v)
	return r
}

// repeats reports whether v is computed again where it is needed again: arguments in memory and
// the simplest operations on them, if there are too few registers to keep these.
func (b *body) repeats(v ir.Value) bool {
	if !b.repeat || b.body.Nodes[v].Type != ir.F32 {
		return false
	}
	switch n := &b.body.Nodes[v]; n.Op {
	case ir.Arg:
		return int(n.Imm) < len(b.inputs)
	case ir.Min, ir.Max, ir.Abs, ir.NegF32:
		for _, x := range n.Operands() {
			if op := b.body.Nodes[x].Op; op != ir.Arg && op != ir.Const {
				return false
			}
		}
		return true
	}
	return false
}

// take returns a vector with the value of v that may be changed by what has these operands: that
// of v if nothing else needs it.
func (b *body) take(v ir.Value, operands ...ir.Value) reg.VecVirtual {
	r := b.vector(v)
	left := b.left[v]
	for _, x := range operands {
		if x == v {
			left--
		}
	}
	if left == 0 && !b.uniform[v] {
		return r
	}
	dst := b.set.vector(b.routine)
	b.VMOVAPS(r, dst)
	return dst
}

// done notes that v is computed, so that it does not need its operands any more.
func (b *body) done(v ir.Value) {
	if !b.known[v] {
		b.known[v] = true
		for _, x := range b.uses[v].in {
			b.left[x]--
		}
	}
}

// binaries has the operations that are one instruction of the same name for all vectors. It has
// the operands y, x and the result, and before that the mask of the elements to set.
var binaries = map[ir.Op]func(*build.Context, ...operand.Op){
	ir.AddF32: (*build.Context).VADDPS, ir.SubF32: (*build.Context).VSUBPS,
	ir.MulF32: (*build.Context).VMULPS, ir.DivF32: (*build.Context).VDIVPS,
	ir.Min: (*build.Context).VMINPS, ir.Max: (*build.Context).VMAXPS, // y if one is NaN
	ir.AddU32: (*build.Context).VPADDD, ir.SubU32: (*build.Context).VPSUBD, ir.MulU32: (*build.Context).VPMULLD,
	ir.ShlU32: (*build.Context).VPSLLVD, ir.ShrU32: (*build.Context).VPSRLVD,
}

// shifts have an immediate count, and binaries has those with counts in a vector.
var shifts = map[ir.Op]func(*build.Context, ...operand.Op){
	ir.ShlU32: (*build.Context).VPSLLD, ir.ShrU32: (*build.Context).VPSRLD,
}

// predicates has the immediates of comparisons, to which opposite may be added. None raises an
// exception for a quiet NaN.
var predicates = map[ir.Op]uint8{ir.EqF32: 0x00, ir.LtF32: 0x11, ir.LeF32: 0x12, ir.EqU32: 0, ir.LtU32: 1}

const (
	opposite  = 4
	unordered = 3
	ordered   = 7
)

const (
	sign    bits32 = 1 << 31
	allOnes bits32 = 1<<32 - 1
	nan     bits32 = 0x7fc00000
)

// roundings are the immediates of instructions that round to an integer, without an exception.
var roundings = map[ir.Op]uint8{ir.Rint: 8, ir.Floor: 9, ir.Ceil: 10, ir.Trunc: 11}

// compute returns the value of a node in a new vector, or in one that is not to be changed.
func (b *body) compute(v ir.Value) reg.VecVirtual {
	n := &b.body.Nodes[v]
	dst := b.set.vector(b.routine)
	x, y, z := n.In[0], n.In[1], n.In[2]
	count := b.body.Nodes[y]
	switch {
	case n.Op == ir.Const && n.Type == ir.Bool:
		return b.constant(bits32(uint32(-n.Imm)))
	case n.Op == ir.Const:
		return b.constant(bits32(n.Imm))
	case n.Op == ir.Arg && int(n.Imm) >= len(b.inputs):
		b.VBROADCASTSS(b.param(int(n.Imm)-len(b.inputs)), dst)
	case n.Op == ir.Arg && b.inputs[n.Imm].address == kernel.Element:
		b.set.loadElements(b.routine, b.inputs[n.Imm].mem(b.first), b.lanes, dst)
	case shifts[n.Op] != nil && count.Op == ir.Const:
		shifts[n.Op](b.Context, operand.U8(count.Imm), b.vector(x), dst)
	case binaries[n.Op] != nil:
		binaries[n.Op](b.Context, b.vector(y), b.vector(x), dst)
	case n.Op == ir.Sqrt:
		b.VSQRTPS(b.vector(x), dst)
	case n.Op == ir.FMA:
		factors := []operand.Op{b.vector(x), b.vector(y)}
		dst = b.take(z, n.In[:]...)
		b.VFMADD231PS(factors[0], factors[1], dst)
	case n.Op == ir.FromBits:
		b.VMOVAPS(b.vector(x), dst)
	case n.Op == ir.F32FromF64:
		b.set.narrow(b, b.wide(b.uses[v].in[0]), dst)
	default:
		if r := b.set.compute(b, v); r != nil {
			return r
		}
		log.Fatalf("%s: no instructions for %s of %v", b.name, n.Op.Info().Name, n.Op.Info().In)
	}
	return dst
}

// param returns the place of parameter i.
func (f *routine) param(i int) operand.Mem {
	place, err := f.args.Field("params").Index(f.params[i]).Resolve()
	if err != nil {
		log.Fatal(err)
	}
	return place.Addr
}

// rotation returns what is rotated to the left by how many bits, if x|y is that.
func (b *body) rotation(x, y ir.Value) (of ir.Value, left uint64, ok bool) {
	l, r := &b.body.Nodes[x], &b.body.Nodes[y]
	if l.Op != ir.ShlU32 || r.Op != ir.ShrU32 || l.In[0] != r.In[0] {
		return 0, 0, false
	}
	shl, shr := &b.body.Nodes[l.In[1]], &b.body.Nodes[r.In[1]]
	return l.In[0], shl.Imm, shl.Op == ir.Const && shr.Op == ir.Const && shl.Imm+shr.Imm == 32
}
