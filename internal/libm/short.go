package libm

import "github.com/gmind-go/compute/internal/ir"

// remainder returns the sum of a constant and the integer k that is nearest to x/log(2), which is
// in its lowest bits, and r = x - k*log(2).
//
// Unlike in reduced, log(2) is a float64. Its error, 2^-55, makes one of k*2^-55 in e^x. That is
// much less than 2^-52 where k is small, and where it is not, a function of e^x has few results,
// of which exhaustive tests know that all are right.
func (b *body) remainder(x ir.Value, constant float64) (sum, r ir.Value) {
	sum = b.fma(x, b.number(1/ln2), b.number(constant))
	k := b.sub(sum, b.number(constant))
	return sum, b.fma(k, b.number(-ln2), x)
}

// top returns the lowest bits of a sum as the highest: as those of a float64's sign and exponent.
func (b *body) top(sum ir.Value) ir.Value {
	return b.Op(ir.ShlU64, b.Op(ir.BitsF64, sum), b.Const(ir.U32, 52))
}

// short is reduced with the remainder.
func (b *body) short(x ir.Value) (s, p ir.Value) {
	sum, r := b.remainder(x, 0x1.8p52+1023)
	return b.Op(ir.FromBitsF64, b.top(sum)), b.fma(b.mul(r, r), b.polynomial(r, expTail), r)
}

// scaled returns e^x for a float64 x with |x| < 700, and anything for NaN: its callers have results
// that are NaN because of another operand. It is e^r, to whose exponent k is added, in one
// operation less than s*(1+p).
func (b *body) scaled(x ir.Value) ir.Value {
	sum, r := b.remainder(x, 0x1.8p52)
	one := b.number(1)
	y := b.fma(b.fma(b.polynomial(r, expTail), r, one), r, one)
	return b.Op(ir.FromBitsF64, b.Op(ir.AddU64, b.Op(ir.BitsF64, y), b.top(sum)))
}
