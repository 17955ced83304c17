package libm

import "github.com/gmind-go/compute/internal/ir"

// gelu is x*Phi(x), with the distribution function Phi of the normal distribution. Phi(t) is
// 1 - Phi(-t).
func (b *quick) gelu(x ir.Value) (y, sure ir.Value) {
	t := b.clamp(0, b.abs(x), 13)
	s, e, f := b.normalTail(t)
	tail := b.mulPair(e, f)
	one := b.number(1)
	above := b.sum(b.neg(s), tail, one, b.number(0))
	below := b.less(x, b.number(0))
	phi := pair{b.where(below, tail.high, above.high), b.where(below, tail.low, above.low)}
	y, sure = b.roundScaled(x, phi, 0x1p-39)
	return b.gate(x, b.mul(y, b.where(below, s, one)), sure, -12.8)
}

// geluPrime is Phi(x) + x*e^(-x*x/2)/sqrt(2*pi): with t = |x|, and g the difference of f and
// t/sqrt(2*pi), it is s*e*g below 0 and 1 - s*e*g above. It has a root: the bound of the error is
// that of the two terms.
func (b *quick) geluPrime(x ir.Value) (y, sure ir.Value) {
	t := b.clamp(0, b.abs(x), 13)
	s, e, f := b.normalTail(t)
	v := b.scalePair(b.neg(t), pair{b.number(densityHigh), b.number(densityLow)})
	n := b.mulPair(e, b.addPair(f, v))
	size := b.mul(e.high, b.sub(f.high, v.high))
	one := b.number(1)
	above := b.sum(b.neg(s), n, one, b.number(0))
	below := b.less(x, b.number(0))
	n = pair{b.where(below, n.high, above.high), b.where(below, n.low, above.low)}
	at := func(err float32) ir.Value {
		return b.add(n.high, b.fma(b.where(below, size, one), b.number(err), n.low))
	}
	y = at(-0x1p-39)
	sure = b.Op(ir.EqF32, y, at(0x1p-39))
	return b.mul(y, b.where(below, s, one)), b.and(sure, b.within(-12.9, x, inf))
}

// normalTail returns a power of two and pairs with Phi(-t) = s*e*f, for 0 <= t <= 13: s*e is
// e^(-t*t/2).
func (b *quick) normalTail(t ir.Value) (s ir.Value, e, f pair) {
	half := b.mul(t, b.number(-0.5))
	h := b.mul(half, t)
	a := b.reducePair(pair{h, b.fma(half, t, b.neg(h))})
	return a.s, b.power(a), b.millsRatio(pair{t, b.number(0)})
}

// millsRatio returns Phi(-t)/e^(-t*t/2), for 0 <= t <= 13. It is u*f(v) with u = 1/(t+3),
// v = 1.53125 - 8*u, and the polynomial quickNormalTail.
func (b *quick) millsRatio(t pair) pair {
	d := b.add(t.high, b.number(3))
	l := b.sub(t.high, b.sub(d, b.number(3))) // exact
	u := b.reciprocal(pair{d, b.add(l, t.low)})
	center := b.number(1.53125)
	v := b.fma(b.number(-8), u.high, center)
	l = b.fma(b.number(-8), u.high, b.sub(center, v)) // exact
	l = b.fma(b.number(-8), u.low, l)
	return b.mulPair(u, b.polynomialPair(pair{v, l}, quickNormalTail))
}

// erf is 1 - 2*Phi(-t) for t = sqrt(2)*|x|, with Phi(-t) = s*e*f, and x*p(x^2), with the polynomial
// quickErf, up to 1/4. From 4 on it is 1.
func (b *quick) erf(x ir.Value) (y, sure ir.Value) {
	z := b.clamp(0, b.abs(x), 6)
	h := b.mul(b.neg(z), z)
	square := pair{h, b.fma(b.neg(z), z, b.neg(h))} // -x*x
	a := b.reducePair(square)
	t := b.scalePair(z, pair{b.number(root2High), b.number(root2Low)})
	tail := b.mulPair(b.power(a), b.millsRatio(t))
	one, zero := b.number(1), b.number(0)
	n := b.sum(b.mul(a.s, b.number(-2)), tail, one, zero)

	small := b.less(z, b.number(0.25))
	p := b.scalePair(z, b.polynomialPair(square, quickErf))
	y, sure = b.round(pair{b.where(small, p.high, n.high), b.where(small, p.low, n.low)}, 0x1.8p-39)
	return b.gate(x, b.Op(ir.Copysign, y, x), sure, -inf)
}

// geluTanh is x*sigmoid(v) with the v of cubic.
func (b *quick) geluTanh(x ir.Value) (y, sure ir.Value) {
	v, _ := b.cubic(b.clamp(-9, b.neg(x), 9))
	a := b.reducePair(v)
	y, sure = b.roundScaled(x, b.reciprocal(b.plus(1, a.s, b.power(a))), 0x1.8p-39)
	return b.gate(x, y, sure, -8.6)
}

// cubic returns v = l*x + c*x^3, with l = 2*sqrt(2/pi) and c = 0.044715*l, and its derivative.
func (b *quick) cubic(x ir.Value) (v, slope pair) {
	square := b.scalePair(x, pair{x, b.number(0)})
	l := pair{b.number(quickLinearHigh), b.number(quickLinearLow)}
	c := b.mulPair(square, pair{b.number(quickCubicHigh), b.number(quickCubicLow)})
	three := b.scalePair(b.number(3), c)
	return b.scalePair(x, b.addPair(l, c)), b.addPair(l, three)
}
