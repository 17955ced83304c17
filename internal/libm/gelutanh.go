package libm

import "github.com/gmind-go/compute/internal/ir"

// cubicMax is where geluTanh and its derivative are below 2^-150 on the negative side.
const cubicMax = 11

// cubic returns e = e^-v for v = 2*sqrt(2/pi)*(x + 0.044715*x^3), for a float64 x up to cubicMax in
// size, of the bits of a float32, and anything for NaN. It returns x*x too, which is exact.
//
// -v/log(2), up to 163 in size, is needed with an error of 2^-54. It is x*(h+l), where h + l is a
// polynomial of x*x with coefficients in two parts: h is the upper part, rounded, and l has the
// error of that, exact since linearHigh has trailing zeros, and the lower part. With k the integer
// nearest to x*h, e is 2^k * 2^r for r = (x*h - k) + x*l. 2^r is 1 + r*exp2Tail(r).
func (b *body) cubic(x ir.Value) (square, e ir.Value) {
	square = b.mul(x, x)
	h := b.fma(square, b.number(cubicHigh), b.number(linearHigh))
	l := b.fma(square, b.number(cubicHigh), b.sub(b.number(linearHigh), h))
	l = b.add(l, b.fma(square, b.number(cubicLow), b.number(linearLow)))
	if b.lookups { // k and r are 16 times those
		sum := b.fma(x, b.mul(h, b.number(16)), b.number(shift))
		n := b.mul(b.sub(b.number(shift), sum), b.number(1.0/16))
		r := b.fma(x, l, b.fma(x, h, n))
		s := b.root(sum)
		return square, b.fma(b.mul(s, r), b.polynomial(r, exp2Tail16), s)
	}
	sum := b.fma(x, h, b.number(shift))
	r := b.fma(x, l, b.fma(x, h, b.sub(b.number(shift), sum)))
	return square, b.raised(b.fma(r, b.polynomial(r, exp2Tail), b.number(1)), sum)
}

// geluTanh is x/(1+e^-v), see cubic.
//
// It is x/2 + x*x/sqrt(2*pi) near 0, so that it has an addend as gelu has.
func (b *body) geluTanh(x ir.Value) ir.Value {
	v := b.least(-cubicMax, x)
	_, e := b.cubic(b.double(b.most(cubicMax, v)))
	y := b.div(b.double(v), b.add(e, b.number(1)))
	y = b.add(y, b.number(0x1p-178))
	z := b.except(x, b.round(y),
		exception{0x1.6148dep-16, 0x1.614a62p-17},
		exception{-0x1.6148dep-16, -0x1.61475ap-17})
	return b.Op(ir.Copysign, z, x)
}

// geluTanhPrime is e*(1 + e - t*v') / (1+e)^2 for t = -x, with e = e^-v, see cubic, and 1 minus
// that for t = x.
func (b *body) geluTanhPrime(x ir.Value) ir.Value {
	t := b.double(b.most(cubicMax, b.Op(ir.Abs, x)))
	square, e := b.cubic(t)
	d := b.add(e, b.number(1))
	v := b.fma(square, b.number(slopeSquare), b.number(slope))
	y := b.div(b.mul(e, b.fma(b.neg(t), v, d)), b.mul(d, d))
	return b.except(x, b.round(b.mirrored(x, y)),
		exception{0x1.40d932p-25, 0x1.000002p-1},
		exception{-0x1.40d932p-26, 0x1.fffffep-2})
}
