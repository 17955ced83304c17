package libm

import "github.com/gmind-go/compute/internal/ir"

// gelu is x*Phi(x), with the distribution function Phi of the normal distribution. Phi(-t), for
// t = |x|, is e^(-t*t/2)*u*f(q), with u = 1/(t+4), q = (t-4)/(t+4) = 1 - 8*u, and the polynomial
// quickNormalTail. Phi(t) is 1 - Phi(-t).
func (b *quick) gelu(x ir.Value) (y, sure ir.Value) {
	t := b.clamp(0, b.abs(x), 13)
	s, tail := b.normalTail(t)
	one := b.number(1)
	h := b.fma(b.neg(s), tail.high, one)
	l := b.fma(b.neg(s), tail.high, b.sub(one, h))
	l = b.fma(b.neg(s), tail.low, l)
	below := b.less(x, b.number(0))
	phi := pair{b.where(below, tail.high, h), b.where(below, tail.low, l)}
	y, sure = b.roundScaled(x, phi, 0x1p-38)
	y = b.mul(y, b.where(below, s, one))
	return b.gate(x, y, sure, -12.8)
}

// normalTail returns a power of two and a pair, whose product is Phi(-t), for 0 <= t <= 13.
func (b *quick) normalTail(t ir.Value) (s ir.Value, z pair) {
	h := b.mul(b.mul(t, b.number(-0.5)), t)
	l := b.fma(b.mul(t, b.number(-0.5)), t, b.neg(h))
	a := b.reducePair(pair{h, l})

	three := b.number(3)
	d := b.add(t, three)
	u := b.reciprocal(pair{d, b.sub(t, b.sub(d, three))})
	center := b.number(1.53125)
	q := b.fma(b.number(-8), u.high, center)
	low := b.fma(b.number(-8), u.high, b.sub(center, q))
	low = b.fma(b.number(-8), u.low, low)
	f := b.polynomialPair(pair{q, low}, quickNormalTail)
	return a.s, b.mulPair(b.mulPair(b.power(a), u), f)
}
