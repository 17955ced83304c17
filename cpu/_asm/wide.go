package main

import (
	"fmt"
	"log"
	"reflect"
	"slices"

	"github.com/mmcloughlin/avo/attr"
	avo "github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gmind-go/compute/internal/ir"
)

// A wide value, of 64 bits an element, is in two vectors: that of the lower half of the elements,
// and that of the upper half.
type wide [2]reg.VecVirtual

// A use is what the instructions for a node read.
type use struct {
	in []ir.Value
	// Of a FMAF64: whether the product and the addend are negated.
	minusProduct, minusAddend bool
}

// uses returns what is read for each node, and nothing for those that are not needed. The bits
// of a float64 are where that is, and an FMA negates its operands at no cost.
func uses(p *ir.Program) []use {
	base := make([]ir.Value, len(p.Nodes)) // where the value of a node is
	for i, n := range p.Nodes {
		base[i] = ir.Value(i)
		if n.Op == ir.BitsF64 || n.Op == ir.FromBitsF64 {
			base[i] = base[n.In[0]]
		}
	}
	list := make([]use, len(p.Nodes))
	needed := make([]bool, len(p.Nodes))
	for _, r := range p.Results {
		needed[r.Value] = true
	}
	for i := range slices.Backward(p.Nodes) {
		if !needed[i] {
			continue
		}
		n, u := &p.Nodes[i], &list[i]
		for j, x := range n.Operands() {
			x = base[x]
			if from := &p.Nodes[x]; n.Op == ir.FMAF64 && from.Op == ir.NegF64 {
				x = base[from.In[0]]
				if j < 2 {
					u.minusProduct = !u.minusProduct
				} else {
					u.minusAddend = true
				}
			}
			u.in = append(u.in, x)
			needed[x] = true
		}
	}
	return list
}

// wideOps are the operations that are one instruction, as AVX2 has it. Its operands are y, x and
// the result. wideShifts have a count in place of y.
var wideOps = map[ir.Op]string{
	ir.AddF64: "VADDPD", ir.SubF64: "VSUBPD", ir.MulF64: "VMULPD", ir.DivF64: "VDIVPD",
	ir.AddU64: "VPADDQ", ir.AndU64: "VPAND", ir.OrU64: "VPOR",
}
var wideShifts = map[ir.Op]string{ir.ShlU64: "VPSLLQ", ir.ShrU64: "VPSRLQ"}

// wide returns the vectors of a node of 64-bit elements, which are not to be changed.
func (b *body) wide(v ir.Value) wide {
	if b.values[v].wide[0] == nil {
		b.values[v].wide = b.computeWide(v)
		b.done(v)
	}
	return b.values[v].wide
}

// source returns an operand for one half of v, which is in memory if v is a constant without
// a register.
func (b *body) source(v ir.Value, half int) operand.Op {
	n := &b.body.Nodes[v]
	if n.Op != ir.Const {
		return b.wide(v)[half]
	}
	c := bits64(n.Imm)
	b.wanted[c]++
	if r := b.kept[c]; r != nil {
		return r
	}
	return b.number(c)
}

// register is like source, but for an operand that must be in a register.
func (b *body) register(v ir.Value, half int) operand.Op {
	o := b.source(v, half)
	if _, ok := o.(operand.Mem); ok {
		r := b.set.vector(b.routine)
		b.VBROADCASTSD(o, r)
		return r
	}
	return o
}

// computeAllWide computes all values of 64 bits in the order of the nodes, which scheduled has
// chosen so that few values wait in registers.
func (b *body) computeAllWide() {
	for i, n := range b.body.Nodes {
		if n.Type.Wide() && n.Op != ir.Const && b.left[i] > 0 {
			b.wide(ir.Value(i))
		}
	}
}

// computeWide returns a node of 64-bit elements in new vectors.
func (b *body) computeWide(v ir.Value) (w wide) {
	n, in := &b.body.Nodes[v], b.uses[v].in
	switch {
	case n.Op == ir.Const:
		r := b.copied(v, 0)
		return wide{r, r}
	case n.Op == ir.F64FromF32:
		return b.set.widen(b, in[0])
	case n.Op == ir.FMAF64:
		return b.fma(v)
	case n.Op == ir.Lookup:
		return b.lookup(b.body.Tables[n.Imm], in)
	case n.Op == ir.WhereF64:
		return b.set.whereWide(b, in[0], in[1], in[2])
	}
	b.prepare(in...)
	for half := range w {
		w[half] = b.set.vector(b.routine)
		switch {
		case n.Op == ir.NegF64:
			b.instruct("VPXOR", b.number(1<<63), b.register(in[0], half), w[half])
		case wideShifts[n.Op] != "":
			b.instruct(wideShifts[n.Op], operand.U8(b.body.Nodes[in[1]].Imm), b.register(in[0], half), w[half])
		case wideOps[n.Op] != "":
			y, x := in[1], in[0]
			if n.Op.Info().Commutes && b.body.Nodes[x].Op == ir.Const {
				x, y = y, x
			}
			b.instruct(wideOps[n.Op], b.source(y, half), b.register(x, half), w[half])
		default:
			log.Fatalf("%s: no instructions for %s of %v", b.name, n.Op.Info().Name, n.Op.Info().In)
		}
	}
	return w
}

// lookup returns the values of t at the lowest 4 bits of an index.
func (b *body) lookup(t ir.Table, in []ir.Value) (w wide) {
	b.prepare(in...)
	lower := b.tables[t]
	if lower == nil {
		lower = b.lower(t)
	}
	for half := range w {
		w[half] = b.copied(in[0], half)
		b.VPERMI2PD(operand.NewDataAddr(tableSymbol(t), 64), lower, w[half])
	}
	return w
}

// lower loads the lower half of t.
func (f *routine) lower(t ir.Table) reg.VecVirtual {
	r := f.set.vector(f)
	f.VMOVUPD(operand.NewDataAddr(tableSymbol(t), 0), r)
	return r
}

// tableSymbol names t by its second element, since the first is 1 in tables of powers.
func tableSymbol(t ir.Table) operand.Symbol {
	return operand.NewStaticSymbol(fmt.Sprintf("t%016x", t[1]))
}

// tableData returns the memory of t.
func tableData(t ir.Table) *avo.Global {
	global := avo.NewStaticGlobal(tableSymbol(t).Name)
	global.Attributes = attr.RODATA | attr.NOPTR
	for _, bits := range t {
		global.Append(operand.U64(bits))
	}
	return global
}

// fma writes a fused multiply-add, in the form that replaces an operand that nothing else needs.
func (b *body) fma(v ir.Value) (w wide) {
	u := &b.uses[v]
	x, y, z := u.in[0], u.in[1], u.in[2]
	b.prepare(u.in...)
	name := "VFMADD"
	switch {
	case u.minusProduct && u.minusAddend:
		name = "VFNMSUB"
	case u.minusProduct:
		name = "VFNMADD"
	case u.minusAddend:
		name = "VFMSUB"
	}
	if b.isConst(x) || b.dies(y, u.in) && !b.dies(x, u.in) {
		x, y = y, x // x is the one to replace, and not in memory
	}
	for half := range w {
		switch {
		case b.dies(z, u.in):
			w[half] = b.wide(z)[half]
			b.instruct(name+"231PD", b.source(y, half), b.register(x, half), w[half])
		case b.dies(x, u.in):
			w[half] = b.wide(x)[half]
			if addend, ok := b.source(z, half).(operand.Mem); ok {
				b.instruct(name+"213PD", addend, b.register(y, half), w[half])
			} else {
				b.instruct(name+"132PD", b.source(y, half), b.source(z, half), w[half])
			}
		case !b.isConst(z) && b.isConst(y):
			w[half] = b.copied(y, half)
			b.instruct(name+"213PD", b.source(z, half), b.register(x, half), w[half])
		default:
			w[half] = b.copied(z, half)
			b.instruct(name+"231PD", b.source(y, half), b.register(x, half), w[half])
		}
	}
	return w
}

// prepare computes what the next instructions read.
func (b *body) prepare(operands ...ir.Value) {
	for _, x := range operands {
		if !b.isConst(x) {
			b.wide(x)
		}
	}
}

// isConst reports whether v is a constant.
func (b *body) isConst(v ir.Value) bool { return b.body.Nodes[v].Op == ir.Const }

// dies reports whether nothing but a node with these operands needs the vectors of v.
func (b *body) dies(v ir.Value, operands []ir.Value) bool {
	left := b.left[v]
	for _, x := range operands {
		if x == v {
			left--
		}
	}
	return left == 0 && !b.isConst(v)
}

// copied returns a new register with one half of v.
func (b *body) copied(v ir.Value, half int) reg.VecVirtual {
	r := b.set.vector(b.routine)
	if b.isConst(v) {
		b.VBROADCASTSD(b.number(bits64(b.body.Nodes[v].Imm)), r)
	} else {
		b.VMOVAPD(b.wide(v)[half], r)
	}
	return r
}

// instruct writes the instruction of a name, or that which an instruction set has in its place.
func (f *routine) instruct(name string, operands ...operand.Op) {
	memory := slices.ContainsFunc(operands, func(o operand.Op) bool { _, ok := o.(operand.Mem); return ok })
	method := reflect.ValueOf(f.Context).MethodByName(f.set.instruction(name, memory))
	var in []reflect.Value
	for _, o := range operands {
		in = append(in, reflect.ValueOf(o))
	}
	method.Call(in)
}

// A bits64 is a constant: the bits of an element of 64.
type bits64 uint64

func (c bits64) symbol() operand.Symbol {
	return operand.NewStaticSymbol(fmt.Sprintf("c%016x", uint64(c)))
}

// number returns where a constant is in memory.
func (f *routine) number(c bits64) operand.Mem {
	f.stored[c] = true
	return operand.NewDataAddr(c.symbol(), 0)
}

// data returns the memory of a constant: a vector of AVX2.
func (c bits64) data() *avo.Global {
	global := avo.NewStaticGlobal(c.symbol().Name)
	global.Attributes = attr.RODATA | attr.NOPTR
	for range 4 {
		global.Append(operand.U64(c))
	}
	return global
}
