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
	s, y, sure := b.bell(z, 0x1p-40)
	return b.vanish(z, 106, b.mul(y, s), sure)
}

// tanhPrime is 4*e^-2|x|/(1 + e^-2|x|)^2.
func (b *quick) tanhPrime(x ir.Value) (y, sure ir.Value) {
	z := b.abs(x)
	s, y, sure := b.bell(b.add(z, z), 0x1p-40)
	return b.vanish(z, 54, b.mul(y, b.mul(s, b.number(4))), sure)
}

// erfPrime is 2/sqrt(pi)*e^(-x*x).
func (b *quick) erfPrime(x ir.Value) (y, sure ir.Value) {
	t := b.abs(x)
	z := b.clamp(0, t, 9.2)
	h := b.mul(b.neg(z), z)
	a := b.reducePair(pair{h, b.fma(b.neg(z), z, b.neg(h))})
	y, sure = b.roundProduct(b.power(a), pair{b.number(twoOverRootPiHigh), b.number(twoOverRootPiLow)}, 0x1p-40)
	return b.vanish(t, 10.5, b.mul(y, a.s), b.and(sure, b.less(t, b.number(9.2))))
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
