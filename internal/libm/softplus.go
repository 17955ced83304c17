package libm

import "github.com/gmind-go/compute/internal/ir"

// two is the 2 of softplus, one bit too high: that moves results by at most 2^-52 of them, and
// makes the only one right that is wrong with 2.
const two = 2 + 0x1p-51

// softplus is max(x, 0) + log(1+e) with e = e^-|x|. With z = e/(e+2) and s = z*z the logarithm is
// z*(2 + s*q(s)), twice the inverse hyperbolic tangent of z, with the polynomial softplusTail.
func (b *body) softplus(x ir.Value) ir.Value {
	e := b.scaled(b.double(b.least(-108, b.Op(ir.NegF32, b.Op(ir.Abs, x)))))
	z := b.div(e, b.add(e, b.number(2)))
	s := b.mul(z, z)
	g := b.fma(s, b.polynomial(s, softplusTail), b.number(two))
	return b.round(b.fma(z, g, b.double(b.least(0, x))))
}

// logSigmoid is -softplus(-x).
func (b *body) logSigmoid(x ir.Value) ir.Value {
	return b.Op(ir.NegF32, b.softplus(b.Op(ir.NegF32, x)))
}
