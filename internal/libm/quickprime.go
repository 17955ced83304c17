package libm

import "github.com/gmind-go/compute/internal/ir"

// vanish returns y, or 0 for certain where x > limit.
func (b *quick) vanish(x ir.Value, limit float32, y, sure ir.Value) (ir.Value, ir.Value) {
	far := b.less(b.number(limit), x)
	return b.where(far, b.number(0), y), b.or(far, sure)
}

// bell returns s and y, with e^-x/(1 + e^-x)^2 = s*y, for 0 <= x < 88.
func (b *quick) bell(x ir.Value, err float32) (s, y, sure ir.Value) {
	a := b.reduce(b.neg(b.clamp(0, x, 87)))
	e := b.power(a)
	d := b.plus(1, a.s, e)
	y, sure = b.roundProduct(e, b.reciprocal(b.mulPair(d, d)), err)
	return a.s, y, b.and(sure, b.less(x, b.number(86)))
}

// sigmoidPrime is e^-|x|/(1 + e^-|x|)^2.
func (b *quick) sigmoidPrime(x ir.Value) (y, sure ir.Value) {
	z := b.abs(x)
	s, y, sure := b.bell(z, 0x1p-39)
	return b.vanish(z, 106, b.mul(y, s), sure)
}

// tanhPrime is 4*e^-2|x|/(1 + e^-2|x|)^2.
func (b *quick) tanhPrime(x ir.Value) (y, sure ir.Value) {
	z := b.abs(x)
	s, y, sure := b.bell(b.add(z, z), 0x1p-39)
	return b.vanish(z, 54, b.mul(y, b.mul(s, b.number(4))), sure)
}

// erfPrime is 2/sqrt(pi)*e^(-x*x).
func (b *quick) erfPrime(x ir.Value) (y, sure ir.Value) {
	t := b.abs(x)
	z := b.clamp(0, t, 9.2)
	h := b.mul(b.neg(z), z)
	a := b.reducePair(pair{h, b.fma(b.neg(z), z, b.neg(h))})
	y, sure = b.roundProduct(b.power(a), pair{b.number(twoOverRootPiHigh), b.number(twoOverRootPiLow)}, 0x1p-39)
	return b.vanish(t, 10.5, b.mul(y, a.s), b.and(sure, b.less(t, b.number(9.2))))
}

// siluPrime is n/(1 + e)^2 with e = e^-|x| and n = 1 + e*(1+x) for x >= 0, n = e*(1+x+e) below,
// where it has a root: the bound of the error is that of the two terms.
func (b *quick) siluPrime(x ir.Value) (y, sure ir.Value) {
	u := b.clamp(-87, x, 87)
	a := b.reduce(b.neg(b.abs(u)))
	p := b.power(a)
	below := b.less(x, b.number(0))
	zero, one := b.number(0), b.number(1)

	// t is 1 + x, f is t or t + e.
	t := b.plus(1, u, pair{one, zero})
	s := b.where(below, a.s, zero)
	h := b.fma(s, p.high, t.high)
	v := b.sub(h, t.high)
	l := b.add(b.sub(t.high, b.sub(h, v)), b.fma(s, p.high, b.neg(v)))
	f := pair{h, b.fma(s, p.low, b.add(l, t.low))}

	// The result is s times a quotient below 0.
	g := b.mulPair(p, f)
	n := b.sum(a.s, g, one, zero)
	size := b.mul(p.high, b.add(b.abs(t.high), b.abs(f.high)))
	n = pair{b.where(below, g.high, n.high), b.where(below, g.low, n.low)}
	size = b.where(below, size, n.high)
	d := b.plus(1, a.s, p)
	r := b.reciprocal(b.mulPair(d, d))
	at := func(err float32) ir.Value {
		low := b.fma(size, b.number(err), n.low)
		return b.fma(n.high, r.high, b.fma(n.high, r.low, b.mul(low, r.high)))
	}
	y = at(-0x1p-39)
	sure = b.Op(ir.EqF32, y, at(0x1p-39))
	return b.mul(y, b.where(below, a.s, one)), b.and(sure, b.within(-85, x, inf))
}

// softsign is x/(1 + |x|).
func (b *quick) softsign(x ir.Value) (y, sure ir.Value) {
	d := b.plus(1, b.abs(x), pair{b.number(1), b.number(0)})
	y, sure = b.roundScaled(x, b.reciprocal(d), 0x1p-42)
	return b.gate(x, y, sure, -0x1p60)
}

// log1pPrime is 1/(1 + x).
func (b *quick) log1pPrime(x ir.Value) (y, sure ir.Value) {
	y, sure = b.round(b.reciprocal(b.plus(1, x, pair{b.number(1), b.number(0)})), 0x1p-42)
	return y, b.and(sure, b.within(-0x1p60, x, 0x1p60))
}

// softsignPrime is 1/(1 + |x|)^2.
func (b *quick) softsignPrime(x ir.Value) (y, sure ir.Value) {
	z := b.abs(x)
	d := b.plus(1, z, pair{b.number(1), b.number(0)})
	y, sure = b.round(b.reciprocal(b.mulPair(d, d)), 0x1p-42)
	return y, b.and(sure, b.less(z, b.number(0x1p40)))
}
