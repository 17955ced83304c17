package libm

import "github.com/gmind-go/compute/internal/ir"

// silu is x/(1+e^-x).
//
// It is x/2 + x*x/4 near 0, so that subnormal results are often in the middle between two
// float32, and the square decides. The addend does it for them, and has no effect on others.
func (b *body) silu(x ir.Value) ir.Value {
	v := b.least(-120, x)
	e := b.scaled(b.double(b.Op(ir.NegF32, b.most(89, v))))
	y := b.div(b.double(v), b.add(e, b.number(1)))
	return b.zero(x, b.round(b.add(y, b.number(0x1p-178))))
}

// siluPrime is (1 + e*(1+x)) / (1+e)^2 with e = e^-x. Near 0 it is 1/2 + x/2 - x^3/12, and so as
// sigmoid there.
func (b *body) siluPrime(x ir.Value) ir.Value {
	v := b.double(b.clamp(-120, x, 40))
	e := b.scaled(b.neg(v))
	one := b.number(1)
	d := b.add(e, one)
	y := b.round(b.div(b.fma(e, b.add(v, one), one), b.mul(d, d)))
	return b.far(x, 0x1p-12, y, b.Op(ir.FMA, x, b.Float32(0x1.fffffep-2), b.Float32(0.5)))
}

// mish is x*n/(n+2) with e = e^x and n = e*(e+2).
func (b *body) mish(x ir.Value) ir.Value {
	v := b.least(-120, x)
	e := b.scaled(b.double(b.most(40, v)))
	n := b.fma(e, e, b.add(e, e))
	return b.round(b.div(b.mul(b.double(v), n), b.add(n, b.number(2))))
}

// mishPrime is e*((u+1)*d + 4*x*u) / d^2 with e = e^x, u = e + 1 and d = u^2 + 1.
func (b *body) mishPrime(x ir.Value) ir.Value {
	one := b.number(1)
	v := b.clamp(-120, x, 40)
	e := b.scaled(b.double(v))
	u := b.add(e, one)
	d := b.fma(u, u, one)
	n := b.fma(b.double(b.Op(ir.MulF32, v, b.Float32(4))), u, b.mul(b.add(u, one), d))
	y := b.round(b.div(b.mul(e, n), b.mul(d, d)))
	return b.except(x, y, exception{-0x1.4p-27, 0x1.333332p-1})
}
