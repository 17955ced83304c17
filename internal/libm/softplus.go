package libm

import "github.com/gmind-go/compute/internal/ir"

// softplus is max(x, 0) + log(1+e) with e = e^-|x|. The logarithm is e - z*(e - s*q(s)), as in
// logarithm, with the polynomial softplusTail.
func (b *body) softplus(x ir.Value) ir.Value {
	e := b.power(b.double(b.least(-108, b.Op(ir.NegF32, b.Op(ir.Abs, x)))))
	z := b.div(e, b.add(e, b.number(2)))
	s := b.mul(z, z)
	g := b.fma(b.neg(s), b.polynomial(s, softplusTail), e)
	return b.round(b.fma(b.neg(z), g, b.add(e, b.double(b.least(0, x)))))
}

// logSigmoid is -softplus(-x).
func (b *body) logSigmoid(x ir.Value) ir.Value {
	return b.Op(ir.NegF32, b.softplus(b.Op(ir.NegF32, x)))
}
