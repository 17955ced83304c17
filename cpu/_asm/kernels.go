// This program writes the assembly of the rows avx512 and avx2: each operation
// of each row from the same loop. Run it by go generate in the folder above.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Predicates of VCMPPS; both are false where an operand is NaN, or true, without
// an exception.
const (
	notGreaterEqual = 0x19 // NGE_UQ: x < 0 or NaN
	greaterEqual    = 0x1d // GE_OQ: x >= 0
)

// An isa is an instruction set: how its vectors are made and used.
type isa struct {
	name  string
	width int // elements in a vector
	vec   func() VecVirtual
	// factor sets dst to v where x >= 0 and else to slope*v. All may be the same.
	factor func(dst, x, v VecVirtual, c constants)
	// choose sets dst to 1 where x >= 0 and else to the slope.
	choose func(dst, x VecVirtual, c constants)

	// signs are a mask of elements, all those of lanes unless that is nil: where x >= 0.
	signs func(x VecVirtual, lanes Register, c constants) Register
	// keep stores signs as one bit for each element, and recall loads those.
	keep   func(signs Register, m Mem)
	recall func(m Mem, c constants) Register
	// pick sets dst to a where signs are set and else to b.
	pick func(dst VecVirtual, signs Register, a, b VecVirtual)

	// lanes is a mask of the first n elements of a vector, and load and store take
	// those alone.
	lanes func(n GPVirtual, c constants) Register
	load  func(m Mem, lanes Register, v VecVirtual)
	store func(v VecVirtual, lanes Register, m Mem)
}

// constants hold the same value in every element, but for bits: element i of that is
// 1<<i, an integer.
type constants struct{ zero, one, slope, bits VecVirtual }

var avx512 = isa{
	name:  "AVX512",
	width: 16,
	vec:   ZMM,
	factor: func(dst, x, v VecVirtual, c constants) {
		k := K()
		VCMPPS(Imm(notGreaterEqual), c.zero, x, k)
		if dst != v {
			VMOVAPS(v, dst)
		}
		VMULPS(c.slope, v, k, dst)
	},
	choose: func(dst, x VecVirtual, c constants) {
		k := K()
		VCMPPS(Imm(notGreaterEqual), c.zero, x, k)
		VBLENDMPS(c.slope, c.one, k, dst)
	},
	signs: func(x VecVirtual, lanes Register, c constants) Register {
		k := K()
		if lanes == nil {
			VCMPPS(Imm(greaterEqual), c.zero, x, k)
		} else {
			VCMPPS(Imm(greaterEqual), c.zero, x, lanes, k)
		}
		return k
	},
	keep: func(signs Register, m Mem) { KMOVW(signs, m) },
	recall: func(m Mem, c constants) Register {
		k := K()
		KMOVW(m, k)
		return k
	},
	pick: func(dst VecVirtual, signs Register, a, b VecVirtual) { VBLENDMPS(a, b, signs, dst) },
	lanes: func(n GPVirtual, _ constants) Register {
		Comment("The lowest n bits of the mask are the elements left.")
		bits := GP64()
		MOVQ(I32(-1), bits)
		BZHIQ(n, bits, bits)
		mask := K()
		KMOVW(bits.As32(), mask)
		return mask
	},
	load:  func(m Mem, lanes Register, v VecVirtual) { VMOVUPS_Z(m, lanes, v) },
	store: func(v VecVirtual, lanes Register, m Mem) { VMOVUPS(v, lanes, m) },
}

var avx2 = isa{
	name:  "AVX2",
	width: 8,
	vec:   YMM,
	factor: func(dst, x, v VecVirtual, c constants) {
		mask, product := YMM(), YMM()
		VCMPPS(Imm(greaterEqual), c.zero, x, mask)
		VMULPS(c.slope, v, product)
		VBLENDVPS(mask, v, product, dst)
	},
	choose: func(dst, x VecVirtual, c constants) {
		mask := YMM()
		VCMPPS(Imm(greaterEqual), c.zero, x, mask)
		VBLENDVPS(mask, c.one, c.slope, dst)
	},
	signs: func(x VecVirtual, lanes Register, c constants) Register {
		mask := YMM()
		VCMPPS(Imm(greaterEqual), c.zero, x, mask)
		if lanes != nil {
			VANDPS(lanes, mask, mask)
		}
		return mask
	},
	keep: func(signs Register, m Mem) {
		bits := GP32()
		VMOVMSKPS(signs, bits)
		MOVB(bits.As8(), m)
	},
	recall: func(m Mem, c constants) Register {
		mask := YMM()
		VPBROADCASTB(m, mask)
		VPAND(c.bits, mask, mask)
		VPCMPEQD(c.bits, mask, mask)
		return mask
	},
	pick: func(dst VecVirtual, signs Register, a, b VecVirtual) { VBLENDVPS(signs, a, b, dst) },
	lanes: func(n GPVirtual, c constants) Register {
		Comment("Element i is one that is left if 1<<n is more than 1<<i.")
		end := GP32()
		XORL(end, end)
		BTSL(n.As32(), end)
		x, mask := XMM(), YMM()
		VMOVD(end, x)
		VPBROADCASTD(x, mask)
		VPCMPGTD(c.bits, mask, mask)
		return mask
	},
	load:  func(m Mem, lanes Register, v VecVirtual) { VMASKMOVPS(m, lanes, v) },
	store: func(v VecVirtual, lanes Register, m Mem) { VMASKMOVPS(v, lanes, m) },
}

// An operation is one kernel: dst from x, or from dy and x.
type operation struct {
	name, dst string
	dy        bool
	constants bool
	doc       string
	body      func(s isa, dst, dy, x VecVirtual, c constants)
}

var operations = []operation{
	{"leakyReLUForward", "y", false, true, "y[i] = x[i] if x[i] >= 0 else slope*x[i]",
		func(s isa, dst, _, x VecVirtual, c constants) { s.factor(dst, x, x, c) }},
	{"leakyReLUDerivative", "d", false, true, "d[i] = 1 if x[i] >= 0 else slope",
		func(s isa, dst, _, x VecVirtual, c constants) { s.choose(dst, x, c) }},
	{"leakyReLUBackward", "dx", true, true, "dx[i] = dy[i] if x[i] >= 0 else slope*dy[i]",
		func(s isa, dst, dy, x VecVirtual, c constants) { s.factor(dst, x, dy, c) }},
	{"copy", "dst", false, false, "dst[i] = x[i]", nil},
}

// unroll is the number of vectors in one turn of the main loop.
const unroll = 4

func main() {
	ConstraintExpr("!purego")
	declareLaneBits()
	for _, s := range []isa{avx512, avx2} {
		for _, op := range operations {
			if op.name != "copy" { // memmove is that
				plain(s, op)
			}
			nonTemporal(s, op)
		}
		for _, op := range fusions {
			plainFusion(s, op)
			nonTemporalFusion(s, op)
		}
	}
	Generate()
}

// laneBits are the constants.bits of AVX2. A mask in memory needs none in AVX-512.
var laneBits Mem

func declareLaneBits() {
	laneBits = GLOBL("laneBits", RODATA|NOPTR)
	for i := range 8 {
		DATA(4*i, U32(1<<i))
	}
}

// pointers are where a kernel stands in its slices.
type pointers struct{ dst, dy, x GPVirtual }

// begin opens the function of op, and loads its arguments.
func begin(s isa, op operation, suffix, doc string) (p pointers, n GPVirtual, c constants) {
	signature := "func(" + op.dst + ", "
	if op.dy {
		signature += "dy, "
	}
	signature += "x []float32"
	if op.constants {
		signature += ", slope float32"
	}
	name := op.name + s.name + suffix
	TEXT(name, NOSPLIT, signature+")")
	Pragma("noescape")
	Doc(name + ": " + op.doc + "." + doc)
	p.dst = Load(Param(op.dst).Base(), GP64()).(GPVirtual)
	if op.dy {
		p.dy = Load(Param("dy").Base(), GP64()).(GPVirtual)
	}
	p.x = Load(Param("x").Base(), GP64()).(GPVirtual)
	n = Load(Param("x").Len(), GP64()).(GPVirtual)
	if op.constants {
		c = constants{zero: s.vec(), one: s.vec(), slope: s.vec()}
		slope, err := Param("slope").Resolve()
		if err != nil {
			panic(err)
		}
		VBROADCASTSS(slope.Addr, c.slope)
		VXORPS(c.zero.AsX(), c.zero.AsX(), c.zero.AsX()) // clears the whole register
		if op.name == "leakyReLUDerivative" {
			one := GP32()
			MOVL(U32(0x3f800000), one)
			x := XMM()
			VMOVD(one, x)
			VBROADCASTSS(x, c.one)
		}
	}
	return p, n, c
}

// vectors emits op on count neighbouring vectors, all loads before all stores, and
// steps the pointers.
func vectors(s isa, op operation, p pointers, c constants, count int, store func(v VecVirtual, m Mem)) {
	size := 4 * s.width
	results := make([]VecVirtual, count)
	for i := range results {
		x := s.vec()
		VMOVUPS(Mem{Base: p.x, Disp: i * size}, x)
		results[i] = x
		if op.body == nil {
			continue
		}
		dy := x
		if op.dy {
			dy = s.vec()
			VMOVUPS(Mem{Base: p.dy, Disp: i * size}, dy)
			results[i] = dy
		}
		op.body(s, results[i], dy, x, c)
	}
	for i, v := range results {
		store(v, Mem{Base: p.dst, Disp: i * size})
	}
	p.step(op, count*size)
}

func (p pointers) step(op operation, bytes int) {
	ADDQ(U32(bytes), p.dst)
	if op.dy {
		ADDQ(U32(bytes), p.dy)
	}
	ADDQ(U32(bytes), p.x)
}

// loop emits body for as long as n is at least step, taking step off each time.
func loop(label string, n GPVirtual, step int, body func()) {
	SUBQ(U32(step), n)
	JL(LabelRef(label + "_end"))
	Label(label)
	body()
	SUBQ(U32(step), n)
	JGE(LabelRef(label))
	Label(label + "_end")
	ADDQ(U32(step), n)
}

func storeThrough(v VecVirtual, m Mem) { VMOVUPS(v, m) }
func storePast(v VecVirtual, m Mem)    { VMOVNTPS(v, m) }

// plain emits the kernel for slices of any length and place.
func plain(s isa, op operation) {
	p, n, c := begin(s, op, "", "")
	loop("block", n, unroll*s.width, func() { vectors(s, op, p, c, unroll, storeThrough) })
	loop("vector", n, s.width, func() { vectors(s, op, p, c, 1, storeThrough) })
	if s.name == avx512.name {
		maskedTail(s, op, p, n, c)
	} else {
		scalarTail(op, p, n, c)
	}
	VZEROUPPER()
	RET()
}

// maskedTail emits op on the n elements that are left, less than a vector, by
// loads and stores that touch no others.
func maskedTail(s isa, op operation, p pointers, n GPVirtual, c constants) {
	TESTQ(n, n)
	JE(LabelRef("done"))
	mask := s.lanes(n, c)
	x := s.vec()
	VMOVUPS_Z(Mem{Base: p.x}, mask, x)
	result := x
	if op.body != nil {
		dy := x
		if op.dy {
			dy = s.vec()
			VMOVUPS_Z(Mem{Base: p.dy}, mask, dy)
			result = dy
		}
		op.body(s, result, dy, x, c)
	}
	VMOVUPS(result, mask, Mem{Base: p.dst})
	Label("done")
}

// scalarTail emits op on the n elements that are left, one by one.
func scalarTail(op operation, p pointers, n GPVirtual, c constants) {
	loop("element", n, 1, func() {
		x := XMM()
		VMOVSS(Mem{Base: p.x}, x)
		result := x
		if op.body != nil {
			dy := x
			if op.dy {
				dy = XMM()
				VMOVSS(Mem{Base: p.dy}, dy)
				result = dy
			}
			// The low elements of the vectors alone count.
			op.body(avx2, result.AsY().(VecVirtual), dy.AsY().(VecVirtual), x.AsY().(VecVirtual), c)
		}
		VMOVSS(result, Mem{Base: p.dst})
		p.step(op, 4)
	})
}

// nonTemporal emits the kernel that stores past the caches, for whole blocks and
// an aligned result.
func nonTemporal(s isa, op operation) {
	p, n, c := begin(s, op, "NT", " It stores past the caches. The length is a multiple of 64 and "+op.dst+" is aligned to 64 bytes.")
	loop("block", n, unroll*s.width, func() { vectors(s, op, p, c, unroll, storePast) })
	Comment("Such stores are weakly ordered: others may see what follows first.")
	SFENCE()
	VZEROUPPER()
	RET()
}
