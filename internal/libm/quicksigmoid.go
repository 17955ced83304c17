package libm

import "github.com/gmind-go/compute/internal/ir"

// plusOne returns 1 + e^x.
func (b *quick) plusOne(x ir.Value) pair {
	a := b.reduce(x)
	e := b.power(a)
	one := b.number(1)
	// The exact sum of 1 and s*e.high, whichever is greater.
	h := b.fma(a.s, e.high, one)
	v := b.sub(h, one)
	l := b.add(b.sub(one, b.sub(h, v)), b.fma(a.s, e.high, b.neg(v)))
	return pair{h, b.fma(a.s, e.low, l)}
}

// sigmoid is 1/(1 + e^-x).
func (b *quick) sigmoid(x ir.Value) (y, sure ir.Value) {
	z := b.reciprocal(b.plusOne(b.clamp(-87, b.neg(x), 87)))
	y, sure = b.round(z, 0x1p-39)
	low := b.less(x, b.number(-104))
	y = b.where(low, b.number(0), y)
	return y, b.or(low, b.and(sure, b.within(-60, x, inf)))
}

// silu is x/(1 + e^-x). The bounds keep all parts of the result normal.
func (b *quick) silu(x ir.Value) (y, sure ir.Value) {
	z := b.reciprocal(b.plusOne(b.clamp(-87, b.neg(x), 87)))
	y, sure = b.roundScaled(x, z, 0x1p-39)
	sure = b.and(sure, b.and(b.within(-60, x, 0x1p60), b.less(b.number(0x1p-60), b.abs(x))))
	zero := b.zero(x)
	return b.where(zero, x, y), b.or(zero, sure)
}

// tanh is m/(m+2) with m = e^2|x| - 1. Up to 2^-13 the result is x: the next term is x^3/3. From
// 9.1 on it is 1.
//
// With e^2|x| = s*(1 + p), m is (s-1) + s*p, where p is r*d, and exact for s = 1, so that the
// relative error is small for small x too.
func (b *quick) tanh(x ir.Value) (y, sure ir.Value) {
	z := b.abs(x)
	u := b.clamp(0, z, 20)
	a := b.reduce(b.add(u, u))
	p := b.mul(a.r.high, a.d.high)
	low := b.fma(a.r.high, a.d.high, b.neg(p))
	low = b.fma(a.r.high, a.d.low, low)
	low = b.fma(a.r.low, b.fma(a.r.high, a.d.high, b.number(1)), low)

	// s*(1 + p) + c: |s*p| is below s/2, and so below s+c unless that is 0.
	sum := func(c float32) pair {
		t := b.add(a.s, b.number(c))
		rest := b.add(b.sub(a.s, t), b.number(c)) // not 0 for s > 2^24
		h := b.fma(a.s, p, t)
		l := b.add(b.fma(a.s, p, b.sub(t, h)), rest)
		return pair{h, b.fma(a.s, low, l)}
	}
	y, sure = b.roundProduct(sum(-1), b.reciprocal(sum(1)), 0x1p-39)
	y = b.Op(ir.Copysign, y, x)
	tiny := b.less(z, b.number(0x1p-13))
	sure = b.or(sure, tiny)
	return b.where(tiny, x, y), b.and(sure, b.or(b.zero(x), b.within(0x1p-125, z, inf)))
}
