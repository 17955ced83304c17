package libm

import "github.com/gmind-go/compute/internal/ir"

// A reduction of x has s, a power of two, and the rest r with e^x = s*e^r and |r| < 0.3466.
//
// With k the integer nearest to x/log(2), s is 2^k and r is x - k*log(2). log(2) has two parts.
// The high part of r is exact: k times the high part is a multiple of 2^-24, x, where k is not 0,
// is one of 2^-25, and their difference is below 1/2.
//
// The sum with magic rounds x/log(2) to an integer in its lowest bits. There k+127 stands, the
// exponent of a float32 of 2^k, as its bits have it.
type reduction struct {
	s ir.Value
	r pair
	d pair // (e^r.high - 1)/r.high
}

// reduce returns the reduction of x, -87 < x < 88.
//
// d is 1 + r/2 + r^2*q(r) with the polynomial quickExpTail. Its error, and that of its sum from
// r^6 on, which is a float32, make 2^-41.8 of e^r.
func (b *quick) reduce(x ir.Value) reduction {
	s, r := b.remainder(pair{x, b.number(0)})
	return reduction{s, r, b.slope(r.high)}
}

// reducePair is reduce for a pair, whose low part may be greater than the unit of r.
func (b *quick) reducePair(x pair) reduction {
	s, r := b.remainder(x)
	h := b.add(r.high, r.low)
	r = pair{h, b.sub(r.low, b.sub(h, r.high))}
	return reduction{s, r, b.slope(h)}
}

// remainder returns s and r.
func (b *quick) remainder(x pair) (s ir.Value, r pair) {
	const magic = 0x1.8p23 + 127
	t := b.fma(x.high, b.number(1/ln2), b.number(magic))
	k := b.sub(b.number(magic), t)
	s = b.Op(ir.FromBits, b.Op(ir.ShlU32, b.Op(ir.Bits, t), b.Const(ir.U32, 23)))
	return s, pair{b.fma(k, b.number(quickLn2High), x.high), b.fma(k, b.number(quickLn2Low), x.low)}
}

// slope returns (e^r - 1)/r.
func (b *quick) slope(r ir.Value) pair {
	d := b.polynomial(r, quickExpTail)
	d = b.muladd(r, d, 0.5, 0)
	return b.muladd(r, d, 1, 0)
}

// power returns e^r.
func (b *quick) power(a reduction) pair {
	e := b.muladd(a.r.high, a.d, 1, 0)
	return pair{e.high, b.fma(a.r.low, e.high, e.low)} // e^low is 1 + low
}

// exp: beyond the bounds of the normal results are those that are 0 or infinite for certain.
func (b *quick) exp(x ir.Value) (y, sure ir.Value) {
	a := b.reduce(b.clamp(-87, x, 88))
	y, sure = b.round(b.power(a), 0x1p-40)
	y = b.mul(y, a.s)
	low, high := b.less(x, b.number(-104)), b.less(b.number(89), x)
	y = b.where(low, b.number(0), b.where(high, b.number(inf), y))
	sure = b.and(sure, b.within(-87, x, 88))
	return y, b.or(sure, b.or(low, high))
}

// growth returns e^r - 1, with a small relative error.
func (b *quick) growth(a reduction) pair {
	p := b.mul(a.r.high, a.d.high)
	l := b.fma(a.r.high, a.d.high, b.neg(p))
	l = b.fma(a.r.high, a.d.low, l)
	return pair{p, b.fma(a.r.low, b.fma(a.r.high, a.d.high, b.number(1)), l)}
}

// sum returns s*p + t + rest, for |t| >= |s*p| or t = 0.
func (b *quick) sum(s ir.Value, p pair, t, rest ir.Value) pair {
	h := b.fma(s, p.high, t)
	l := b.add(b.fma(s, p.high, b.sub(t, h)), rest)
	return pair{h, b.fma(s, p.low, l)}
}

// expm1 is s*p + (s-1), where s*e^r is e^x and p is e^r - 1. |s*p| is below |s-1| unless that is 0,
// and p has a small relative error. Below -40 the result is that of -40.
func (b *quick) expm1(x ir.Value) (y, sure ir.Value) {
	a := b.reduce(b.clamp(-40, x, 88))
	one := b.number(1)
	t := b.sub(a.s, one)
	v := b.add(t, one)
	rest := b.sub(b.sub(a.s, v), b.sub(one, b.sub(v, t)))
	y, sure = b.round(b.sum(a.s, b.growth(a), t, rest), 0x1p-39)
	zero := b.zero(x)
	sure = b.and(sure, b.and(b.less(x, b.number(88)), b.less(b.number(0x1p-60), b.abs(x))))
	return b.where(zero, x, y), b.or(zero, sure)
}
