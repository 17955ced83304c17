package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// A fusion is a kernel that beside the elements has a mask, or a second result.
type fusion struct {
	name      string
	dst, src  string // the first result, and the operand of elements
	second    string // result, if there is one
	signs     use
	signature string
	doc       string
}

// use is what a kernel does with the mask in memory.
type use int

const (
	none use = iota
	written
	read
)

var fusions = []fusion{
	{"leakyReLUForwardMask", "y", "x", "", written, "func(y []float32, mask []uint64, x []float32, slope float32)",
		"y[i] = x[i] if x[i] >= 0 else slope*x[i], and bit i of mask is whether x[i] >= 0. It sets all words, with zeros behind the last element"},
	{"leakyReLUBackwardMask", "dx", "dy", "", read, "func(dx, dy []float32, mask []uint64, slope float32)",
		"dx[i] = dy[i] if bit i of mask is set else slope*dy[i]"},
	{"leakyReLUForwardDerivative", "y", "x", "d", none, "func(y, d, x []float32, slope float32)",
		"y[i] = x[i] and d[i] = 1 if x[i] >= 0, else slope*x[i] and slope"},
}

// places are where a fusion stands in its slices. What it has not is nil.
type places struct{ dst, second, src, mask GPVirtual }

// beginFusion opens the function of op, and loads its arguments.
func beginFusion(s isa, op fusion, suffix, doc string) (p places, n GPVirtual, c constants) {
	name := op.name + s.name + suffix
	TEXT(name, NOSPLIT, op.signature)
	Pragma("noescape")
	Doc(name + ": " + op.doc + "." + doc)
	base := func(name string) GPVirtual { return Load(Param(name).Base(), GP64()).(GPVirtual) }
	p.dst, p.src = base(op.dst), base(op.src)
	if op.second != "" {
		p.second = base(op.second)
	}
	if op.signs != none {
		p.mask = base("mask")
	}
	n = Load(Param(op.src).Len(), GP64()).(GPVirtual)
	c = constants{zero: s.vec(), one: s.vec(), slope: s.vec(), bits: s.vec()}
	slope, err := Param("slope").Resolve()
	if err != nil {
		panic(err)
	}
	VBROADCASTSS(slope.Addr, c.slope)
	if op.signs != read {
		VXORPS(c.zero.AsX(), c.zero.AsX(), c.zero.AsX()) // clears the whole register
	}
	if op.second != "" {
		one, x := GP32(), XMM()
		MOVL(U32(0x3f800000), one)
		VMOVD(one, x)
		VBROADCASTSS(x, c.one)
	}
	if s.name == avx2.name && (suffix == "" || op.signs == read) {
		VMOVDQU(laneBits, c.bits)
	}
	return p, n, c
}

// fuse emits op on the vector at number i of p, or on those of its elements in lanes,
// and returns the results.
func fuse(s isa, op fusion, p places, c constants, i int, lanes Register) (dst, second VecVirtual) {
	src := s.vec()
	elements, bits := Mem{Base: p.src, Disp: i * 4 * s.width}, Mem{Base: p.mask, Disp: i * s.width / 8}
	if lanes == nil {
		VMOVUPS(elements, src)
	} else {
		s.load(elements, lanes, src)
	}
	var signs Register
	if op.signs == read {
		signs = s.recall(bits, c)
	} else {
		signs = s.signs(src, lanes, c)
	}
	if op.signs == written {
		s.keep(signs, bits)
	}
	dst = s.vec()
	VMULPS(c.slope, src, dst)
	s.pick(dst, signs, src, dst)
	if op.second != "" {
		second = s.vec()
		s.pick(second, signs, c.one, c.slope)
	}
	return dst, second
}

// fusedVectors emits op on count neighbouring vectors, all loads of elements before all
// stores of them, and steps the places.
func fusedVectors(s isa, op fusion, p places, c constants, count int, store func(v VecVirtual, m Mem)) {
	size := 4 * s.width
	dst, second := make([]VecVirtual, count), make([]VecVirtual, count)
	for i := range count {
		dst[i], second[i] = fuse(s, op, p, c, i, nil)
	}
	for i := range count {
		store(dst[i], Mem{Base: p.dst, Disp: i * size})
	}
	ADDQ(U32(count*size), p.dst)
	ADDQ(U32(count*size), p.src)
	if op.second != "" {
		for i := range count {
			store(second[i], Mem{Base: p.second, Disp: i * size})
		}
		ADDQ(U32(count*size), p.second)
	}
	if op.signs != none {
		ADDQ(U32(count*s.width/8), p.mask)
	}
}

// plainFusion emits the kernel for slices of any length and place.
func plainFusion(s isa, op fusion) {
	p, n, c := beginFusion(s, op, "", "")
	if op.signs == written {
		clearLastWord(p)
	}
	loop("block", n, unroll*s.width, func() { fusedVectors(s, op, p, c, unroll, storeThrough) })
	loop("vector", n, s.width, func() { fusedVectors(s, op, p, c, 1, storeThrough) })
	TESTQ(n, n)
	JE(LabelRef("done"))
	lanes := s.lanes(n, c)
	dst, second := fuse(s, op, p, c, 0, lanes)
	s.store(dst, lanes, Mem{Base: p.dst})
	if op.second != "" {
		s.store(second, lanes, Mem{Base: p.second})
	}
	Label("done")
	VZEROUPPER()
	RET()
}

// clearLastWord emits the zeros behind the last element.
func clearLastWord(p places) {
	Comment("The last word may have fewer bits than are stored to it.")
	words := Load(Param("mask").Len(), GP64()).(GPVirtual)
	TESTQ(words, words)
	JE(LabelRef("cleared"))
	MOVQ(U32(0), Mem{Base: p.mask, Index: words, Scale: 8, Disp: -8})
	Label("cleared")
}

// nonTemporalFusion emits the kernel that stores past the caches, but for the mask,
// which is small.
func nonTemporalFusion(s isa, op fusion) {
	results := op.dst + " is"
	if op.second != "" {
		results = op.dst + " and " + op.second + " are"
	}
	p, n, c := beginFusion(s, op, "NT", " It stores past the caches. The length is a multiple of 64 and "+results+" aligned to 64 bytes.")
	loop("block", n, unroll*s.width, func() { fusedVectors(s, op, p, c, unroll, storePast) })
	Comment("Such stores are weakly ordered: others may see what follows first.")
	SFENCE()
	VZEROUPPER()
	RET()
}
