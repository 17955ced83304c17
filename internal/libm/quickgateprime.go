package libm

import "github.com/gmind-go/compute/internal/ir"

// siluPrime is the derivative of x*sigmoid(v) for v = x.
func (b *quick) siluPrime(x ir.Value) (y, sure ir.Value) {
	u := b.clamp(-87, x, 87)
	t := b.plus(1, u, pair{b.number(1), b.number(0)})
	y, sure = b.gatePrime(x, b.reduce(b.neg(b.abs(u))), t)
	return y, b.and(sure, b.within(-85, x, inf))
}

// geluTanhPrime is the derivative of x*sigmoid(v) for the v of cubic.
func (b *quick) geluTanhPrime(x ir.Value) (y, sure ir.Value) {
	u := b.clamp(-9.5, x, 9.5)
	v, slope := b.cubic(u)
	sign := b.where(b.less(u, b.number(0)), b.number(1), b.number(-1))
	v = pair{b.mul(v.high, sign), b.mul(v.low, sign)} // -|v|
	t := b.addPair(pair{b.number(1), b.number(0)}, b.scalePair(u, slope))
	y, sure = b.gatePrime(x, b.reducePair(v), t)
	return y, b.and(sure, b.within(-9.4, x, inf))
}

// gatePrime returns the derivative of x*sigmoid(v) for a v with the sign of x, given the reduction
// of -|v|, and t = 1 + x*v'. With e = e^-|v| it is n/(1 + e)^2, with n = 1 + e*t for x >= 0 and
// n = e*(t + e) below, where it has a root: the bound of the error is that of the two terms.
func (b *quick) gatePrime(x ir.Value, a reduction, t pair) (y, sure ir.Value) {
	p := b.power(a)
	below := b.less(x, b.number(0))
	zero, one := b.number(0), b.number(1)
	s := b.where(below, a.s, zero)
	f := b.addPair(t, b.scalePair(s, p))

	// The result is s times a quotient below 0.
	g := b.mulPair(p, f)
	n := b.sum(a.s, g, one, zero)
	size := b.mul(p.high, b.add(b.abs(t.high), b.abs(f.high)))
	size = b.where(below, size, n.high)
	n = pair{b.where(below, g.high, n.high), b.where(below, g.low, n.low)}
	d := b.plus(1, a.s, p)
	y, sure = b.roundSum(n, b.reciprocal(b.mulPair(d, d)), size, 0x1.4p-40)
	return b.mul(y, b.where(below, a.s, one)), sure
}

// mishPrime is e*(f*d + 4*x*(e+1))/d^2 with e = e^x, f = e+2, and d = e*f + 2. It has a root: the
// bound of the error is that of the two terms. From 16 on it is 1.
func (b *quick) mishPrime(x ir.Value) (y, sure ir.Value) {
	u := b.clamp(-85, x, 16)
	a := b.reduce(u)
	p := b.power(a)
	_, f, d := b.mishParts(a.s, p)
	v := b.scalePair(b.mul(u, b.number(4)), b.plus(1, a.s, p))
	w := b.mulPair(f, d)
	n := b.mulPair(p, b.addPair(w, v))
	size := b.mul(p.high, b.add(w.high, b.abs(v.high)))
	y, sure = b.roundSum(n, b.reciprocal(b.mulPair(d, d)), size, 0x1p-40)
	return b.mul(y, a.s), b.and(sure, b.within(-84, x, inf))
}
