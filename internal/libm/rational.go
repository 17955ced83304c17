package libm

import "github.com/gmind-go/compute/internal/ir"

// softsign is |x|/(1+|x|), with the sign of x. From the bound on it is 1, as that of infinity.
func (b *body) softsign(x ir.Value) ir.Value {
	a := b.double(b.most(0x1p60, b.Op(ir.Abs, x)))
	y := b.round(b.div(a, b.add(a, b.number(1))))
	y = b.except(b.Op(ir.Abs, x), y, exception{0x1.17022cp-7, 0x1.14a722p-7})
	return b.Op(ir.Copysign, y, x)
}

// softsignPrime is 1/(1+|x|)^2.
func (b *body) softsignPrime(x ir.Value) ir.Value {
	d := b.add(b.double(b.Op(ir.Abs, x)), b.number(1))
	return b.round(b.div(b.number(1), b.mul(d, d)))
}

// log1pPrime is 1/(1+x).
func (b *body) log1pPrime(x ir.Value) ir.Value {
	return b.round(b.div(b.number(1), b.add(b.double(x), b.number(1))))
}
