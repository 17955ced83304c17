package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// Predicates of VCMPPS. Both return false or true for NaN without an exception.
const (
	notGreaterEqual = 0x19 // NGE_UQ: x < 0 or NaN
	greaterEqual    = 0x1d // GE_OQ: x >= 0
)

// constants have the same value in every element, except bits: its element i is the
// integer 1<<i.
type constants struct{ zero, one, slope, bits VecVirtual }

// An isa is an instruction set: its vectors, and the steps of kernels on them. Signs are
// what test and recall return, in a form of its own: for each element whether x >= 0.
type isa struct {
	name  string
	width int // elements in a vector
	vec   func() VecVirtual

	// test returns the signs of x.
	test func(x VecVirtual, c constants) Register
	// scale multiplies v by the slope where x < 0 or NaN, and choose sets dst to 1 where
	// x >= 0 and to the slope elsewhere.
	scale  func(v VecVirtual, signs Register, c constants)
	choose func(dst VecVirtual, signs Register, c constants)
	// keep stores one bit per element, 0 for those outside of lanes, and recall loads them.
	keep   func(signs, lanes Register, m Mem)
	recall func(m Mem, c constants) Register

	// lanes returns a mask of the first n elements of a vector. load and store access only
	// those in lanes; load sets the others to 0.
	lanes func(n GPVirtual, c constants) Register
	load  func(m Mem, lanes Register, v VecVirtual)
	store func(v VecVirtual, lanes Register, m Mem)
	// bits reports whether lanes, and whether recall, needs constants.bits.
	bits bool
}

// The signs of AVX-512 are a mask register, set where the slope applies.
var avx512 = isa{
	name:  "AVX512",
	width: 16,
	vec:   ZMM,
	test: func(x VecVirtual, c constants) Register {
		k := K()
		VCMPPS(Imm(notGreaterEqual), c.zero, x, k)
		return k
	},
	scale:  func(v VecVirtual, signs Register, c constants) { VMULPS(c.slope, v, signs, v) },
	choose: func(dst VecVirtual, signs Register, c constants) { VBLENDMPS(c.slope, c.one, signs, dst) },
	keep: func(signs, lanes Register, m Mem) {
		k := K()
		if lanes == nil {
			KNOTW(signs, k)
		} else {
			KANDNW(lanes, signs, k)
		}
		KMOVW(k, m)
	},
	recall: func(m Mem, _ constants) Register {
		k := K()
		KMOVW(m, k)
		KNOTW(k, k)
		return k
	},
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

// The signs of AVX2 are a vector, all ones where x >= 0.
var avx2 = isa{
	name:  "AVX2",
	width: 8,
	vec:   YMM,
	test: func(x VecVirtual, c constants) Register {
		mask := YMM()
		VCMPPS(Imm(greaterEqual), c.zero, x, mask)
		return mask
	},
	scale: func(v VecVirtual, signs Register, c constants) {
		product := YMM()
		VMULPS(c.slope, v, product)
		VBLENDVPS(signs, v, product, v)
	},
	choose: func(dst VecVirtual, signs Register, c constants) { VBLENDVPS(signs, c.one, c.slope, dst) },
	keep: func(signs, lanes Register, m Mem) {
		if lanes != nil {
			mask := YMM()
			VANDPS(lanes, signs, mask)
			signs = mask
		}
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
	lanes: func(n GPVirtual, c constants) Register {
		Comment("Element i is left if 1<<n is greater than 1<<i.")
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
	bits:  true,
}
