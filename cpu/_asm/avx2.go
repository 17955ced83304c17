package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gmind-go/compute/internal/ir"
)

// avx2 needs AVX2 and FMA.
type avx2 struct{}

func (avx2) name() string                     { return "avx2" }
func (avx2) width() int                       { return 8 }
func (avx2) looksUp() bool                    { return false }
func (avx2) vector(f *routine) reg.VecVirtual { return f.YMM() }

func (avx2) lanes(f *routine, n reg.GPVirtual) reg.Register {
	f.Comment("Element i is left if 1<<n is greater than 1<<i.")
	end := f.GP32()
	f.XORL(end, end)
	f.BTSL(n.As32(), end)
	x, mask := f.XMM(), f.YMM()
	f.VMOVD(end, x)
	f.VPBROADCASTD(x, mask)
	f.VPCMPGTD(f.constant(lane1), mask, mask)
	return mask
}

func (avx2) loadElements(f *routine, m operand.Mem, lanes reg.Register, v reg.VecVirtual) {
	if lanes == nil {
		f.VMOVUPS(m, v)
	} else {
		f.VMASKMOVPS(m, lanes, v)
	}
}

func (avx2) storeElements(f *routine, v reg.VecVirtual, lanes reg.Register, m operand.Mem) {
	f.VMASKMOVPS(v, lanes, m)
}

func (s avx2) pack(b *body, v ir.Value, m operand.Mem) func() {
	mask := b.vector(v)
	if b.lanes != nil {
		inside := b.YMM()
		b.VANDPS(b.lanes, mask, inside)
		mask = inside
	}
	bits := b.GP32()
	b.VMOVMSKPS(mask, bits)
	return func() { b.MOVB(bits.As8(), m) }
}

func (s avx2) compute(b *body, v ir.Value) reg.VecVirtual {
	dst := b.YMM()
	n := &b.body.Nodes[v]
	x, y, z := n.In[0], n.In[1], n.In[2]
	switch n.Op {
	case ir.Arg: // of a mask
		b.VPBROADCASTB(b.inputs[n.Imm].mem(b.first), dst)
		b.VPAND(b.constant(lane1), dst, dst)
		b.VPCMPEQD(b.constant(lane1), dst, dst)
	case ir.NegF32:
		b.VXORPS(b.constant(sign), b.vector(x), dst)
	case ir.Abs:
		b.VANDPS(b.constant(allOnes^sign), b.vector(x), dst)
	case ir.Copysign:
		from, rest := b.vector(y), b.YMM()
		b.VCMPPS(operand.U8(ordered), from, from, dst)
		b.VANDPS(from, dst, dst)
		b.VANDPS(b.constant(sign), dst, dst)
		b.VANDPS(b.constant(allOnes^sign), b.vector(x), rest)
		b.VORPS(rest, dst, dst)
	case ir.Floor, ir.Ceil, ir.Trunc, ir.Rint:
		b.VROUNDPS(operand.U8(roundings[n.Op]), b.vector(x), dst)
	case ir.EqF32, ir.LtF32, ir.LeF32:
		b.VCMPPS(operand.U8(predicates[n.Op]), b.vector(y), b.vector(x), dst)
	case ir.WhereF32, ir.WhereU32:
		left, right := b.vector(y), b.vector(z) // before the condition, which would wait in a register
		b.VBLENDVPS(b.vector(x), left, right, dst)
	case ir.And:
		b.VANDPS(b.vector(y), b.vector(x), dst)
	case ir.Or:
		b.VORPS(b.vector(y), b.vector(x), dst)
	case ir.Not:
		b.VXORPS(b.constant(allOnes), b.vector(x), dst)
	case ir.AndU32:
		b.VPAND(b.vector(y), b.vector(x), dst)
	case ir.OrU32:
		b.VPOR(b.vector(y), b.vector(x), dst)
	case ir.XorU32:
		b.VPXOR(b.vector(y), b.vector(x), dst)
	case ir.EqU32:
		b.VPCMPEQD(b.vector(y), b.vector(x), dst)
	case ir.LtU32: // as signed numbers, with the other sign
		less := b.YMM()
		b.VPXOR(b.constant(sign), b.vector(x), less)
		b.VPXOR(b.constant(sign), b.vector(y), dst)
		b.VPCMPGTD(less, dst, dst)
	case ir.F32FromU32: // the sum of the halves is rounded once
		const two16 = 0x47800000
		from, low := b.vector(x), b.YMM()
		b.VPSRLD(operand.U8(16), from, dst)
		b.VCVTDQ2PS(dst, dst)
		b.VMULPS(b.constant(two16), dst, dst)
		b.VPAND(b.constant(0xffff), from, low)
		b.VCVTDQ2PS(low, low)
		b.VADDPS(low, dst, dst)
	case ir.U32FromF32: // the conversion is of signed numbers, and 1<<31 for what is too large
		const two31, two32 = 0x4f000000, 0x4f800000
		from, upper, large := b.YMM(), b.YMM(), b.YMM()
		b.VMAXPS(b.constant(0), b.vector(x), from) // 0 for NaN
		b.VCVTTPS2DQ(from, dst)
		b.VSUBPS(b.constant(two31), from, upper)
		b.VCVTTPS2DQ(upper, upper)
		b.VPSRAD(operand.U8(31), dst, large) // from >= 1<<31
		b.VPAND(large, upper, upper)
		b.VPOR(upper, dst, dst)
		b.VCMPPS(operand.U8(predicates[ir.LeF32]), from, b.constant(two32), large)
		b.VPOR(large, dst, dst)
	case ir.Bits:
		from := b.vector(x)
		b.VCMPPS(operand.U8(unordered), from, from, dst)
		b.VBLENDVPS(dst, b.constant(nan), from, dst)
	default:
		return nil
	}
	return dst
}

func (avx2) instruction(name string, _ bool) string { return name }

func (avx2) widen(b *body, x ir.Value) (w wide) {
	w = wide{b.YMM(), b.YMM()}
	if n := &b.body.Nodes[x]; n.Op == ir.Arg && b.lanes == nil && b.values[x].vector == nil {
		for half := range w {
			b.VCVTPS2PD(b.inputs[n.Imm].mem(b.first+4*half), w[half])
		}
		return w
	}
	from, upper := b.vector(x), b.XMM()
	b.VEXTRACTF128(operand.U8(1), from, upper)
	b.VCVTPS2PD(from.AsX(), w[0])
	b.VCVTPS2PD(upper, w[1])
	return w
}

func (avx2) narrow(b *body, x wide, dst reg.VecVirtual) {
	upper := b.XMM()
	b.VCVTPD2PSY(x[0], dst.AsX())
	b.VCVTPD2PSY(x[1], upper)
	b.VINSERTF128(operand.U8(1), upper, dst, dst)
}

// whereWide has the lanes of a bool in lanes of 64 bits too.
func (s avx2) whereWide(b *body, c, x, y ir.Value) (w wide) {
	b.prepare(x, y)
	lanes := &b.values[c].wide
	if lanes[0] == nil {
		from, upper := b.vector(c), b.XMM()
		*lanes = wide{b.YMM(), b.YMM()}
		b.VEXTRACTF128(operand.U8(1), from, upper)
		b.VPMOVSXDQ(from.AsX(), lanes[0])
		b.VPMOVSXDQ(upper, lanes[1])
	}
	for half := range w {
		w[half] = b.YMM()
		b.VBLENDVPD(lanes[half], b.source(x, half), b.register(y, half), w[half])
	}
	return w
}
