package libm

import "github.com/gmind-go/compute/internal/ir"

// reduced returns s, a power of two, and p, with e^x = s*(1+p) and |p| < 0.42, for a float64 x
// with |x| < 700.
//
// With k the integer nearest to x/log(2), s is 2^k and p is e^r - 1 for r = x - k*log(2), |r| <=
// log(2)/2, so that p = r + r*r*q(r) with the polynomial expTail. The upper part of log(2) has
// trailing zeros, so that its product with k and the first difference are exact.
//
// The sum with magic rounds x/log(2) to an integer in its lowest bits. There k+1023 stands, the
// exponent of a float64 of 2^k, as its bits have it.
func (b *body) reduced(x ir.Value) (s, p ir.Value) {
	const magic = 0x1.8p52 + 1023
	t := b.fma(x, b.number(1/ln2), b.number(magic))
	k := b.sub(t, b.number(magic))
	r := b.fma(k, b.number(-ln2), x)
	s = b.Op(ir.FromBitsF64, b.Op(ir.ShlU64, b.Op(ir.BitsF64, t), b.Const(ir.U32, 52)))
	p = b.fma(b.mul(r, r), b.polynomial(r, expTail), r)
	return s, p
}

// power returns e^x for a float64 x with |x| < 700.
func (b *body) power(x ir.Value) ir.Value {
	s, p := b.reduced(x)
	return b.fma(s, p, s)
}

// exp: beyond the bounds the result is 0 or infinite as for the bounds.
func (b *body) exp(x ir.Value) ir.Value {
	return b.round(b.power(b.double(b.clamp(-104, x, 89))))
}

// small returns e^x - 1 for a float64 x with |x| < 700, with a small relative error near 0 too:
// there s is 1.
func (b *body) small(x ir.Value) ir.Value {
	s, p := b.reduced(x)
	return b.fma(s, p, b.sub(s, b.number(1)))
}

// expm1: a zero keeps its sign.
func (b *body) expm1(x ir.Value) ir.Value {
	return b.zero(x, b.round(b.small(b.double(b.clamp(-30, x, 89)))))
}
