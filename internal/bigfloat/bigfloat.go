// Package bigfloat has arithmetic and elementary functions of big.Float, at a given precision.
package bigfloat

import "math/big"

// A Precision is a number of bits. Its methods compute with that many, to nearest even.
type Precision uint

// Float returns 0.
func (p Precision) Float() *big.Float { return new(big.Float).SetPrec(uint(p)) }

// Integer returns n.
func (p Precision) Integer(n int64) *big.Float { return p.Float().SetInt64(n) }

// Add returns x+y.
func (p Precision) Add(x, y *big.Float) *big.Float { return p.Float().Add(x, y) }

// Sub returns x-y.
func (p Precision) Sub(x, y *big.Float) *big.Float { return p.Float().Sub(x, y) }

// Mul returns x*y.
func (p Precision) Mul(x, y *big.Float) *big.Float { return p.Float().Mul(x, y) }

// Div returns x/y.
func (p Precision) Div(x, y *big.Float) *big.Float { return p.Float().Quo(x, y) }

// Neg returns -x.
func (p Precision) Neg(x *big.Float) *big.Float { return p.Float().Neg(x) }

// Double returns 2x.
func (p Precision) Double(x *big.Float) *big.Float { return p.Float().SetMantExp(x, 1) }

// Half returns x/2.
func (p Precision) Half(x *big.Float) *big.Float { return p.Float().SetMantExp(x, -1) }

// Counts reports whether term is large enough to change the sum.
func (p Precision) Counts(term, sum *big.Float) bool {
	return term.Sign() != 0 && term.MantExp(nil) > sum.MantExp(nil)-int(p)
}

// Exp returns e^x. It scales x down to less than 2^-8, adds Taylor's series, and squares.
func (p Precision) Exp(x *big.Float) *big.Float {
	squarings := max(0, x.MantExp(nil)+8)
	r := p.Float().SetMantExp(x, -squarings)
	sum, term := p.Integer(1), p.Integer(1)
	for n := int64(1); p.Counts(term, sum); n++ {
		term = p.Div(p.Mul(term, r), p.Integer(n))
		sum = p.Add(sum, term)
	}
	for range squarings {
		sum = p.Mul(sum, sum)
	}
	return sum
}

// series returns z + z*square/3 + z*square^2/5 + ..., for a square far below 1 in size.
func (p Precision) series(z, square *big.Float) *big.Float {
	sum, power, term := p.Float().Set(z), z, z
	for n := int64(3); p.Counts(term, sum); n += 2 {
		power = p.Mul(power, square)
		term = p.Div(power, p.Integer(n))
		sum = p.Add(sum, term)
	}
	return sum
}

// atanh returns (log(1+z)-log(1-z))/2 for a z that is far from 1, by its series.
func (p Precision) atanh(z *big.Float) *big.Float { return p.series(z, p.Mul(z, z)) }

// Log returns the natural logarithm of x > 0, of the exponent and the mantissa apart. The
// mantissa is chosen near 1, so that their sum does not cancel.
func (p Precision) Log(x *big.Float) *big.Float {
	m := p.Float()
	exponent := x.MantExp(m)
	if m.Cmp(big.NewFloat(0.7)) < 0 {
		m = p.Double(m)
		exponent--
	}
	one := p.Integer(1)
	z := p.Div(p.Sub(m, one), p.Add(m, one))
	log2 := p.Double(p.atanh(p.Div(one, p.Integer(3))))
	return p.Add(p.Mul(p.Integer(int64(exponent)), log2), p.Double(p.atanh(z)))
}

// Log1p returns log(1+x) for x > -1.
func (p Precision) Log1p(x *big.Float) *big.Float {
	if x.MantExp(nil) < -1 { // |x| < 1/4
		return p.Double(p.atanh(p.Div(x, p.Add(x, p.Integer(2)))))
	}
	return p.Log(p.Add(x, p.Integer(1)))
}

// Erf returns the error function, by the series all of whose terms have one sign:
// 2/sqrt(pi) * exp(-x*x) * (x + 2x^3/3 + 4x^5/15 + ...).
func (p Precision) Erf(x *big.Float) *big.Float {
	square := p.Mul(x, x)
	sum, term := p.Float().Set(x), p.Float().Set(x)
	for n := int64(3); p.Counts(term, sum); n += 2 {
		term = p.Div(p.Double(p.Mul(term, square)), p.Integer(n))
		sum = p.Add(sum, term)
	}
	return p.Mul(p.Mul(p.TwoOverRootPi(), p.Exp(p.Neg(square))), sum)
}

// TwoOverRootPi returns 2/sqrt(pi).
func (p Precision) TwoOverRootPi() *big.Float {
	return p.Div(p.Integer(2), p.Float().Sqrt(p.Pi()))
}

// Pi returns pi by Machin's formula, 16 atan(1/5) - 4 atan(1/239).
func (p Precision) Pi() *big.Float {
	a := p.Mul(p.Integer(16), p.atanInverse(5))
	return p.Sub(a, p.Mul(p.Integer(4), p.atanInverse(239)))
}

// atanInverse returns atan(1/q) by its series.
func (p Precision) atanInverse(q int64) *big.Float {
	z := p.Div(p.Integer(1), p.Integer(q))
	return p.series(z, p.Neg(p.Mul(z, z)))
}

// Sigmoid returns 1/(1+e^-x).
func (p Precision) Sigmoid(x *big.Float) *big.Float {
	return p.Div(p.Integer(1), p.Add(p.Exp(p.Neg(x)), p.Integer(1)))
}

// NormalPDF returns the density of the standard normal distribution, exp(-x*x/2)/sqrt(2*pi).
func (p Precision) NormalPDF(x *big.Float) *big.Float {
	return p.Div(p.Exp(p.Neg(p.Half(p.Mul(x, x)))), p.Float().Sqrt(p.Double(p.Pi())))
}

// NormalCDF returns the distribution function of the standard normal distribution,
// (1+erf(x/sqrt(2)))/2.
func (p Precision) NormalCDF(x *big.Float) *big.Float {
	z := p.Div(x, p.Float().Sqrt(p.Integer(2)))
	return p.Half(p.Add(p.Erf(z), p.Integer(1)))
}
