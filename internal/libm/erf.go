package libm

import "github.com/gmind-go/compute/internal/ir"

// erf is |x|*(2/sqrt(pi) + t*q(t - erfMiddle)) with t = x*x and the polynomial erfTail, up to
// erfMax, from where on it is 1 when rounded, and with the sign of x. The polynomial adds little
// for small x, so that the error there is that of the constant.
func (b *body) erf(x ir.Value) ir.Value {
	a := b.Op(ir.Abs, x)
	v := b.double(b.most(erfMax, a))
	t := b.mul(v, v)
	q := b.polynomial(b.sub(t, b.number(erfMiddle)), erfTail)
	y := b.round(b.mul(v, b.fma(t, q, b.number(twoOverRootPi))))
	return b.Op(ir.Copysign, y, x)
}

// erfPrime is 2/sqrt(pi)*e^(-x*x). The square is exact. At the bound the result is 0.
func (b *body) erfPrime(x ir.Value) ir.Value {
	a := b.Op(ir.Abs, x)
	v := b.double(b.most(10.5, a))
	y := b.round(b.mul(b.power(b.neg(b.mul(v, v))), b.number(twoOverRootPi)))
	return b.except(a, y, exception{0x1.ebb6dap-16, 0x1.20dd76p+0})
}
