package libm

import "github.com/gmind-go/compute/internal/ir"

// softsign is |x|/(1+|x|), with the sign of x. From the bound on it is 1, as that of infinity.
func (b *body) softsign(x ir.Value) ir.Value {
	a := b.Op(ir.Abs, x)
	v := b.double(b.most(0x1p60, a))
	y := b.except(a, b.round(b.div(v, b.add(v, b.number(1)))), exception{0x1.17022cp-7, 0x1.14a722p-7})
	return b.Op(ir.Copysign, y, x)
}

// softsignPrime is 1/(1+|x|)^2. The sum is as in log1pPrime; the error is that of the square and
// the quotient.
func (b *body) softsignPrime(x ir.Value) ir.Value {
	a := b.Op(ir.Abs, x)
	d := b.add(b.double(a), b.number(1))
	return b.except(a, b.round(b.div(b.number(1), b.mul(d, d))),
		exception{0x1.6325c6p-15, 0x1.fff4e6p-1},
		exception{0x1.2d5dc4p-9, 0x1.fda756p-1})
}

// log1pPrime is 1/(1+x). The sum is exact from 2^-29 to 2^53 in size; below, the result is 1.
func (b *body) log1pPrime(x ir.Value) ir.Value {
	return b.except(x, b.round(b.div(b.number(1), b.add(b.double(x), b.number(1)))),
		exception{0x1.e691c6p-12, 0x1.ffc336p-1},
		exception{-0x1.dde514p+30, -0x1.124502p-31},
		exception{-0x1.cd038ap+35, -0x1.1c5002p-36})
}
