package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// avx512 needs AVX512F, BMI2 and FMA. It has bools in mask registers.
type avx512 struct{}

func (avx512) name() string                     { return "avx512" }
func (avx512) width() int                       { return 16 }
func (avx512) looksUp() bool                    { return true }
func (avx512) vector(f *routine) reg.VecVirtual { return f.ZMM() }

func (avx512) lanes(f *routine, n reg.GPVirtual) reg.Register {
	f.Comment("The lowest n bits of the mask are the elements left.")
	bits := f.GP64()
	f.MOVQ(operand.I32(-1), bits)
	f.BZHIQ(n, bits, bits)
	mask := f.K()
	f.KMOVW(bits.As32(), mask)
	return mask
}

func (avx512) loadElements(f *routine, m operand.Mem, lanes reg.Register, v reg.VecVirtual) {
	if lanes == nil {
		f.VMOVUPS(m, v)
	} else {
		f.VMOVUPS_Z(m, lanes, v)
	}
}

func (avx512) storeElements(f *routine, v reg.VecVirtual, lanes reg.Register, m operand.Mem) {
	f.VMOVUPS(v, lanes, m)
}

func (s avx512) pack(b *body, v ir.Value, m operand.Mem) func() {
	k := s.mask(b, v, true)
	if b.lanes != nil {
		inside := b.K()
		b.KANDW(b.lanes, k, inside)
		k = inside
	}
	return func() { b.KMOVW(k, m) }
}

// mask returns a mask register that tells for each element whether v is true, or false.
func (s avx512) mask(b *body, v ir.Value, want bool) reg.Register {
	known, other := &b.values[v].is, &b.values[v].not
	if !want {
		known, other = other, known
	}
	if *known != nil {
		return *known
	}
	n := &b.body.Nodes[v]
	x, y := n.In[0], n.In[1]
	isBit := n.Op == ir.Arg && int(n.Imm) < len(b.inputs) && b.inputs[n.Imm].address == kernel.Bit
	k := b.K()
	switch {
	case *other != nil, !want && (isBit || n.Op == ir.And || n.Op == ir.Or):
		b.KNOTW(s.mask(b, v, !want), k)
	case isBit:
		b.KMOVW(b.inputs[n.Imm].mem(b.first), k)
	case n.Op == ir.Not:
		return s.mask(b, x, !want)
	case n.Op == ir.And:
		b.KANDW(s.mask(b, x, true), s.mask(b, y, true), k)
	case n.Op == ir.Or:
		b.KORW(s.mask(b, x, true), s.mask(b, y, true), k)
	case n.Op == ir.EqF32, n.Op == ir.LtF32, n.Op == ir.LeF32:
		b.VCMPPS(operand.U8(predicate(n.Op, want)), b.vector(y), b.vector(x), k)
	case n.Op == ir.EqU32, n.Op == ir.LtU32:
		b.VPCMPUD(operand.U8(predicate(n.Op, want)), b.vector(y), b.vector(x), k)
	case want:
		r := b.vector(v)
		b.VPTESTMD(r, r, k)
	default:
		r := b.vector(v)
		b.VPTESTNMD(r, r, k)
	}
	*known = k
	b.done(v)
	return k
}

// predicate returns the immediate of a comparison, or of the opposite.
func predicate(op ir.Op, want bool) uint8 {
	p := predicates[op]
	if !want {
		p += opposite
	}
	return p
}

func (s avx512) compute(b *body, v ir.Value) reg.VecVirtual {
	dst := b.ZMM()
	n := &b.body.Nodes[v]
	x, y, z := n.In[0], n.In[1], n.In[2]
	if n.Type == ir.Bool {
		b.VMOVDQA32_Z(b.constant(allOnes), s.mask(b, v, true), dst)
		return dst
	}
	switch n.Op {
	case ir.NegF32:
		b.VPXORD(b.constant(sign), b.vector(x), dst)
	case ir.Abs:
		b.VPANDD(b.constant(allOnes^sign), b.vector(x), dst)
	case ir.Copysign:
		from, k := b.vector(y), b.K()
		b.VCMPPS(operand.U8(ordered), from, from, k)
		b.VPANDD_Z(b.constant(sign), from, k, dst)
		rest := b.ZMM()
		b.VPANDD(b.constant(allOnes^sign), b.vector(x), rest)
		b.VPORD(rest, dst, dst)
	case ir.Floor, ir.Ceil, ir.Trunc, ir.Rint:
		b.VRNDSCALEPS(operand.U8(roundings[n.Op]), b.vector(x), dst)
	case ir.WhereF32, ir.WhereU32:
		return s.where(b, x, y, z)
	case ir.AndU32:
		b.VPANDD(b.vector(y), b.vector(x), dst)
	case ir.OrU32:
		if of, left, ok := b.rotation(x, y); ok {
			b.VPROLD(operand.U8(left), b.vector(of), dst)
		} else {
			b.VPORD(b.vector(y), b.vector(x), dst)
		}
	case ir.XorU32:
		b.VPXORD(b.vector(y), b.vector(x), dst)
	case ir.F32FromU32:
		b.VCVTUDQ2PS(b.vector(x), dst)
	case ir.U32FromF32:
		b.VMAXPS(b.constant(0), b.vector(x), dst) // 0 for NaN
		b.VCVTTPS2UDQ(dst, dst)                   // all ones for what is too large
	case ir.Bits:
		from, k := b.vector(x), b.K()
		b.VCMPPS(operand.U8(unordered), from, from, k)
		b.VPBLENDMD(b.constant(nan), from, k, dst)
	default:
		return nil
	}
	return dst
}

// where returns where(c, x, y). If one branch is an operation that nothing else needs, it is
// computed over the other. The condition comes last, so that it does not wait in a register.
func (s avx512) where(b *body, c, x, y ir.Value) reg.VecVirtual {
	for _, branch := range []struct {
		op, other ir.Value
		want      bool
	}{{y, x, false}, {x, y, true}} {
		n := &b.body.Nodes[branch.op]
		if binaries[n.Op] == nil || b.left[branch.op] != 1 || b.values[branch.op].vector != nil {
			continue
		}
		right, left := b.vector(n.In[1]), b.vector(n.In[0])
		dst := b.take(branch.other, branch.other, n.In[0], n.In[1])
		k := s.mask(b, c, branch.want)
		binaries[n.Op](b.Context, right, left, k, dst)
		b.done(branch.op)
		return dst
	}
	dst, left, right := b.ZMM(), b.vector(x), b.vector(y)
	if b.values[c].not != nil && b.values[c].is == nil {
		b.VPBLENDMD(right, left, s.mask(b, c, false), dst)
	} else {
		b.VPBLENDMD(left, right, s.mask(b, c, true), dst)
	}
	return dst
}

func (avx512) instruction(name string, memory bool) string {
	switch name {
	case "VPAND", "VPOR", "VPXOR":
		name += "Q"
	}
	if memory {
		name += "_BCST"
	}
	return name
}

func (s avx512) widen(b *body, x ir.Value) (w wide) {
	n := &b.body.Nodes[x]
	if n.Op == ir.Arg && b.lanes == nil && b.values[x].vector == nil {
		for half := range w {
			w[half] = b.ZMM()
			b.VCVTPS2PD(b.inputs[n.Imm].mem(b.first+8*half), w[half])
		}
		return w
	}
	from, upper := b.vector(x), b.YMM()
	w = wide{b.ZMM(), b.ZMM()}
	b.VEXTRACTF64X4(operand.U8(1), from, upper)
	b.VCVTPS2PD(from.AsY(), w[0])
	b.VCVTPS2PD(upper, w[1])
	return w
}

func (avx512) narrow(b *body, x wide, dst reg.VecVirtual) {
	upper := b.YMM()
	b.VCVTPD2PS(x[0], dst.AsY())
	b.VCVTPD2PS(x[1], upper)
	b.VINSERTF64X4(operand.U8(1), upper, dst, dst)
}

// whereWide has the upper half of a mask in the lower half of another.
func (s avx512) whereWide(b *body, c, x, y ir.Value) (w wide) {
	b.prepare(x, y)
	want := true
	if b.isConst(y) && !b.isConst(x) { // only the one where the mask is true may be in memory
		x, y, want = y, x, false
	}
	k := s.mask(b, c, want)
	index := 0
	if want {
		index = 1
	}
	upper := &b.values[c].upper[index]
	if *upper == nil {
		*upper = b.K()
		b.KSHIFTRW(operand.U8(8), k, *upper)
	}
	for half, k := range []reg.Register{k, *upper} {
		w[half] = b.ZMM()
		b.instruct("VBLENDMPD", b.source(x, half), b.register(y, half), k, w[half])
	}
	return w
}
