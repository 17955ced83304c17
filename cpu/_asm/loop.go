package main

import (
	"cmp"
	"fmt"
	"log"
	"maps"
	"slices"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	avo "github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// A routine is one kernel for an instruction set, which is being written: loops over
// vectors around the body.
type routine struct {
	*build.Context
	set isa
	spec
	layout
	nonTemporal bool

	args            gotypes.Component
	results, inputs []pointer
	n               reg.GPVirtual // elements that are left

	constants map[bits32]reg.VecVirtual   // all that are needed, nil if they have no register
	loaded    map[bits32]bool             // those of them that are in memory
	uniform   []bool                      // by node: whether it is the same for all elements
	invariant map[ir.Value]reg.VecVirtual // by node: the same for all elements, and needed

	uses    []use                       // by node
	wanted  map[bits64]int              // the 64-bit constants that are operands, and how often
	stored  map[bits64]bool             // those of all that are in memory
	numbers []bits64                    // those wanted, the most useful first
	keep    int                         // so many of them are in registers
	kept    map[bits64]reg.VecVirtual   // which
	tables  map[ir.Table]reg.VecVirtual // those that are looked up in, and the register of the lower half

	compiled *avo.Function
}

// A pointer is where the loop is in an operand.
type pointer struct {
	at      reg.GPVirtual
	address kernel.Address
}

// mem returns the place of element i.
func (p pointer) mem(i int) operand.Mem { return operand.Mem{Base: p.at, Disp: p.bytes(i)} }

// bytes returns the size of elements.
func (p pointer) bytes(elements int) int {
	if p.address == kernel.Bit {
		return elements / 8
	}
	return 4 * elements
}

// A layout is a way to write a loop: how many vectors at a time it computes, and what is in
// registers.
type layout struct {
	unroll int
	hoist  bool // what follows
	repeat bool // the simplest values are not, but computed again: see repeats
}

// layouts returns those of s, the best first. At most 4 vectors at a time, but one if that takes
// so long that the loop costs nothing. Two of a function: while one waits for a result, the
// other goes on, which is worth more than constants in registers.
func (s *spec) layouts() []layout {
	const long = 16
	var list []layout
	switch {
	case s.wide():
		for unroll := 2; unroll > 0; unroll-- {
			for _, hoist := range []bool{true, false} {
				list = append(list, layout{unroll, hoist, false}, layout{unroll, hoist, true})
			}
		}
	case s.body.Size() > long:
		list = []layout{{1, true, false}, {1, false, false}}
	default:
		for _, hoist := range []bool{true, false} {
			list = append(list, layout{4, hoist, false}, layout{2, hoist, false}, layout{1, hoist, false})
		}
	}
	return list
}

// write returns the function of s, in the first layout for which there are registers.
func write(set isa, s spec, nonTemporal bool) *routine {
	if s.lookups != nil && set.looksUp() {
		s.body = s.lookups
	}
	if s.wide() {
		s.body = scheduled(s.body)
	}
	for _, l := range s.layouts() {
		f := &routine{set: set, spec: s, layout: l, nonTemporal: nonTemporal}
		if f.fit() {
			return f
		}
	}
	log.Fatalf("%s needs more registers than %s has", s.name, set.name())
	return nil
}

// fit writes and compiles the function, and reports whether there are registers. Of the
// constants that may be in memory, as many as possible are in registers.
func (f *routine) fit() bool {
	f.write() // to know the constants
	f.numbers = slices.SortedFunc(maps.Keys(f.wanted), func(c, d bits64) int {
		return cmp.Or(cmp.Compare(f.wanted[d], f.wanted[c]), cmp.Compare(c, d))
	})
	for low, high := 0, len(f.numbers); low <= high; {
		f.keep = (low + high + 1) / 2
		f.write()
		if compiled, ok := compile(f.result()); ok {
			f.compiled, low = compiled, f.keep+1
		} else {
			high = f.keep - 1
		}
	}
	return f.compiled != nil
}

// result returns what is written.
func (f *routine) result() *avo.File {
	file, err := f.Result()
	if err != nil {
		log.Fatalf("%s: %v", f.name, err)
	}
	return file
}

// wide reports whether the body has values of 64 bits.
func (s *spec) wide() bool {
	return slices.ContainsFunc(s.body.Nodes, func(n ir.Node) bool { return n.Type.Wide() })
}

// write writes the function, with the constants that it needed when it was written before.
func (f *routine) write() {
	f.Context = build.NewContext()
	f.begin()
	if f.nonTemporal {
		f.loop("block", f.unroll)
		if !f.unordered {
			f.Comment("Non-temporal stores are weakly ordered: others may see later stores first.")
			f.SFENCE()
		}
	} else {
		f.loop("block", f.unroll)
		if !f.blocks {
			f.loop("vector", 1)
			f.tail()
		}
	}
	f.VZEROUPPER()
	f.RET()
}

// begin begins the function, and loads its arguments and what does not change.
func (f *routine) begin() {
	name := f.name + strings.ToUpper(f.set.name())
	doc := name + " computes " + f.doc + "."
	if f.nonTemporal {
		name += "NT"
		doc = name + " is like " + strings.TrimSuffix(name, "NT") + " with non-temporal stores: n is a multiple of 64, and buffers of results are aligned to 64 bytes."
		if f.unordered {
			doc += " It has no fence."
		}
	}
	f.Function(name)
	f.Attributes(attr.NOSPLIT)
	f.SignatureExpr("func(a *args)")
	f.Pragma("noescape")
	f.Doc(doc)
	f.args = f.Dereference(f.Param("a"))
	f.results, f.inputs = nil, nil
	for i, address := range f.spec.results {
		f.results = append(f.results, f.pointer(i, address))
	}
	for i, address := range f.spec.inputs {
		f.inputs = append(f.inputs, f.pointer(f.ptr[i], address))
	}
	f.n = f.Load(f.args.Field("n"), f.GP64()).(reg.GPVirtual)
	if !f.nonTemporal && !f.blocks {
		for i, p := range f.results {
			if p.address == kernel.Bit {
				if slices.Contains(f.spec.inputs, kernel.Bit) {
					log.Fatalf("%s: a mask might replace the one that is read", name)
				}
				f.clearLastWord(p, fmt.Sprintf("cleared%d", i))
			}
		}
	}
	f.invariants()
}

func (f *routine) pointer(i int, address kernel.Address) pointer {
	return pointer{f.Load(f.args.Field("ptr").Index(i), f.GP64()).(reg.GPVirtual), address}
}

// clearLastWord zeroes the last word of a mask.
func (f *routine) clearLastWord(p pointer, done string) {
	f.Comment("The last word may have fewer bits than are stored to it.")
	last := f.GP64()
	f.MOVQ(f.n, last)
	f.SUBQ(operand.U32(1), last)
	f.JL(operand.LabelRef(done))
	f.SHRQ(operand.U8(6), last)
	f.MOVQ(operand.U32(0), operand.Mem{Base: p.at, Index: last, Scale: 8})
	f.Label(done)
}

// loop writes a loop over count vectors at a time, while at least as many are left.
func (f *routine) loop(label string, count int) {
	elements := count * f.set.width()
	f.SUBQ(operand.U32(uint32(elements)), f.n)
	f.JL(operand.LabelRef(label + "_end"))
	f.Label(label)
	f.vectors(count, nil)
	for _, list := range [][]pointer{f.results, f.inputs} {
		for _, p := range list {
			f.ADDQ(operand.U32(uint32(p.bytes(elements))), p.at)
		}
	}
	f.SUBQ(operand.U32(uint32(elements)), f.n)
	f.JGE(operand.LabelRef(label))
	f.Label(label + "_end")
	if !f.blocks && !f.nonTemporal {
		f.ADDQ(operand.U32(uint32(elements)), f.n)
	}
}

// tail writes what computes the last elements, fewer than a vector has.
func (f *routine) tail() {
	f.TESTQ(f.n, f.n)
	f.JE(operand.LabelRef("done"))
	f.vectors(1, f.set.lanes(f, f.n))
	f.Label("done")
}

// vectors computes the next count vectors, or the elements in lanes of one. All loads precede
// the stores, since a result may replace an input; and one result is stored after the other,
// since processors combine stores that follow each other in memory.
func (f *routine) vectors(count int, lanes reg.Register) {
	stores := make([][]func(), len(f.results))
	var starts []int
	nodes := func() *[]avo.Node { return &f.result().Functions()[0].Nodes }
	for i := range count {
		starts = append(starts, len(*nodes()))
		first := i * f.set.width()
		b := f.newBody(first, lanes)
		b.computeAllWide()
		for j, r := range f.body.Results {
			stores[j] = append(stores[j], b.store(f.results[j].mem(first), f.results[j].address, r.Value))
		}
	}
	if f.wide() {
		interleave(*nodes(), starts)
	}
	for _, store := range slices.Concat(stores...) {
		store()
	}
}

// interleave mixes the parts of nodes that begin at starts: the first of each part, then the
// second of each, and so on.
func interleave(nodes []avo.Node, starts []int) {
	all := slices.Clone(nodes)
	next := starts[0]
	length := (len(nodes) - next) / len(starts)
	for i := range length {
		for j, start := range starts {
			if start != starts[0]+j*length {
				log.Fatal("the parts to be interleaved are not equally long")
			}
			nodes[next] = all[start+i]
			next++
		}
	}
}

// store returns what stores a result, which it computes.
func (b *body) store(m operand.Mem, address kernel.Address, v ir.Value) func() {
	if address == kernel.Bit {
		return b.set.pack(b, v, m)
	}
	r := b.vector(v)
	switch {
	case b.lanes != nil:
		return func() { b.set.storeElements(b.routine, r, b.lanes, m) }
	case b.nonTemporal:
		return func() { b.VMOVNTPS(r, m) }
	}
	return func() { b.VMOVUPS(r, m) }
}
