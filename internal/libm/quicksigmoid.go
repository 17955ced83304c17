package libm

import "github.com/gmind-go/compute/internal/ir"

// plus returns c + s*e, for c > 0, whichever is greater.
func (b *quick) plus(c float32, s ir.Value, e pair) pair {
	h := b.fma(s, e.high, b.number(c))
	v := b.sub(h, b.number(c))
	l := b.add(b.sub(b.number(c), b.sub(h, v)), b.fma(s, e.high, b.neg(v)))
	return pair{h, b.fma(s, e.low, l)}
}

// plusOne returns 1 + e^x.
func (b *quick) plusOne(x ir.Value) pair {
	a := b.reduce(x)
	return b.plus(1, a.s, b.power(a))
}

// gate returns the result y of a function that is x times a number from 0 to 1, given that y is
// sure if x is within bounds that keep all parts of it normal.
func (b *quick) gate(x, y, sure ir.Value, low float32) (ir.Value, ir.Value) {
	sure = b.and(sure, b.and(b.within(low, x, 0x1p60), b.less(b.number(0x1p-60), b.abs(x))))
	zero := b.zero(x)
	return b.where(zero, x, y), b.or(zero, sure)
}

// sigmoid is 1/(1 + e^-x).
func (b *quick) sigmoid(x ir.Value) (y, sure ir.Value) {
	z := b.reciprocal(b.plusOne(b.clamp(-87, b.neg(x), 87)))
	y, sure = b.round(z, 0x1p-40)
	low := b.less(x, b.number(-104))
	y = b.where(low, b.number(0), y)
	return y, b.or(low, b.and(sure, b.within(-60, x, inf)))
}

// silu is x/(1 + e^-x).
func (b *quick) silu(x ir.Value) (y, sure ir.Value) {
	z := b.reciprocal(b.plusOne(b.clamp(-87, b.neg(x), 87)))
	y, sure = b.roundScaled(x, z, 0x1p-40)
	return b.gate(x, y, sure, -60)
}

// mish is x*n/(n+2) with n = e*(e+2), e = e^x. From 20 on the result is x.
func (b *quick) mish(x ir.Value) (y, sure ir.Value) {
	a := b.reduce(b.clamp(-80, x, 20))
	e, f, d := b.mishParts(a.s, b.power(a))
	y, sure = b.roundScaled(x, b.mulPair(b.mulPair(e, f), b.reciprocal(d)), 0x1p-40)
	return b.gate(x, y, sure, -60)
}

// mishParts returns e = s*p, f = e+2, and d = e*f + 2.
func (b *quick) mishParts(s ir.Value, p pair) (e, f, d pair) {
	e = pair{b.mul(s, p.high), b.mul(s, p.low)}
	f = b.plus(2, s, p)
	d = b.plus(2, e.high, f)
	d.low = b.fma(e.low, f.high, d.low)
	return e, f, d
}

// tanh is m/(m+2) with m = e^2|x| - 1. Up to 2^-13 the result is x: the next term is x^3/3. From
// 9.1 on it is 1.
//
// With e^2|x| = s*(1 + p), m is (s-1) + s*p, where p is r*d, and exact for s = 1, so that the
// relative error is small for small x too. |s*p| is below s/2, and so below s-1 unless that is 0.
func (b *quick) tanh(x ir.Value) (y, sure ir.Value) {
	z := b.abs(x)
	u := b.clamp(0, z, 20)
	a := b.reduce(b.add(u, u))
	p := b.growth(a)
	sum := func(c float32) pair {
		t := b.add(a.s, b.number(c))
		rest := b.add(b.sub(a.s, t), b.number(c)) // not 0 for s > 2^24
		return b.sum(a.s, p, t, rest)
	}
	y, sure = b.roundProduct(sum(-1), b.reciprocal(sum(1)), 0x1p-39)
	y = b.Op(ir.Copysign, y, x)
	tiny := b.less(z, b.number(0x1p-13))
	sure = b.or(sure, tiny)
	return b.where(tiny, x, y), b.and(sure, b.or(b.zero(x), b.within(0x1p-125, z, inf)))
}
