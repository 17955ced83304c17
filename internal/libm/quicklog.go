package libm

import "github.com/gmind-go/compute/internal/ir"

// log returns log(d) for a normal d. near is d-1, with a small relative error if that is small.
//
// With the power of two 2^k near d, and m = d/2^k from 0.707 to 1.414, log(d) is k*log(2) +
// log(m), and log(m) is z*(2 + w*q(w)) for z = (m-1)/(m+1) and w = z*z, with the polynomial
// quickLogTail. k times the upper part of log(2) is exact.
func (b *quick) log(d, near pair) pair {
	const halfRoot2 = 0x3f3504f3 // the bits of sqrt(1/2)
	count := b.Const(ir.U32, 23)
	bits := b.Op(ir.AddU32, b.Op(ir.Bits, d.high), b.Const(ir.U32, 127<<23-halfRoot2))
	e := b.Op(ir.ShrU32, bits, count) // k + 127
	scale := b.Op(ir.FromBits, b.Op(ir.ShlU32, b.Op(ir.SubU32, b.Const(ir.U32, 254), e), count))
	k := b.sub(b.Op(ir.F32FromU32, e), b.number(127))

	one := b.number(1)
	f := b.fma(d.high, scale, b.number(-1)) // exact
	h := b.fma(d.low, scale, f)
	l := b.fma(d.low, scale, b.sub(f, h))
	same := b.Op(ir.EqU32, e, b.Const(ir.U32, 127))
	n := pair{b.where(same, near.high, h), b.where(same, near.low, l)}
	h = b.fma(d.high, scale, one)
	l = b.fma(d.high, scale, b.sub(one, h))
	l = b.fma(d.low, scale, l)
	z := b.mulPair(n, b.reciprocal(pair{h, l}))
	w := b.mulPair(z, z)
	q := b.polynomialPair(w, quickLogTail)
	q = b.muladdPair(w, q, 2, 0)

	upper := b.number(quickLn2Upper)
	h = b.fma(z.high, q.high, b.mul(k, upper))
	l = b.fma(z.high, q.high, b.neg(b.fma(b.neg(k), upper, h)))
	l = b.fma(z.high, q.low, b.fma(z.low, q.high, l))
	return pair{h, b.fma(k, b.number(quickLn2Lower), l)}
}

// logarithm is log: NaN below 0.
func (b *quick) logarithm(x ir.Value) (y, sure ir.Value) {
	zero := b.number(0)
	y, sure = b.round(b.log(pair{x, zero}, pair{b.sub(x, b.number(1)), zero}), 0x1p-39)
	below := b.less(x, zero)
	return b.where(below, b.number(nan), y), b.or(below, b.and(sure, b.within(0x1p-125, x, 0x1p125)))
}

// log1p is log of the exact sum 1 + x: NaN below -1.
func (b *quick) log1p(x ir.Value) (y, sure ir.Value) {
	y, sure = b.round(b.log(b.plus(1, x, pair{b.number(1), b.number(0)}), pair{x, b.number(0)}), 0x1p-39)
	sure = b.and(sure, b.and(b.within(-1, x, 0x1p125), b.less(b.number(0x1p-60), b.abs(x))))
	zero, below := b.zero(x), b.less(x, b.number(-1))
	return b.where(zero, x, b.where(below, b.number(nan), y)), b.or(b.or(zero, below), sure)
}

// softplus is log(1 + e^x). From 87 on it is x.
func (b *quick) softplus(x ir.Value) (y, sure ir.Value) {
	a := b.reduce(b.clamp(-87, x, 87))
	e := b.power(a)
	z := b.log(b.plus(1, a.s, e), pair{b.mul(a.s, e.high), b.mul(a.s, e.low)})
	y, sure = b.round(z, 0x1p-39)
	sure = b.and(sure, b.less(b.number(-60), x))
	low, high := b.less(x, b.number(-104)), b.less(b.number(87), x)
	y = b.where(low, b.number(0), b.where(high, x, y))
	return y, b.or(sure, b.or(low, high))
}

// logSigmoid is -softplus(-x).
func (b *quick) logSigmoid(x ir.Value) (y, sure ir.Value) {
	y, sure = b.softplus(b.neg(x))
	return b.neg(y), sure
}
