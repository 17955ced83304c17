package rounded

import "math/big"

// A precision is a number of bits. Its methods compute with that many, to nearest even.
type precision uint

func (p precision) float() *big.Float { return new(big.Float).SetPrec(uint(p)) }

func (p precision) integer(n int64) *big.Float     { return p.float().SetInt64(n) }
func (p precision) add(x, y *big.Float) *big.Float { return p.float().Add(x, y) }
func (p precision) sub(x, y *big.Float) *big.Float { return p.float().Sub(x, y) }
func (p precision) mul(x, y *big.Float) *big.Float { return p.float().Mul(x, y) }
func (p precision) div(x, y *big.Float) *big.Float { return p.float().Quo(x, y) }
func (p precision) neg(x *big.Float) *big.Float    { return p.float().Neg(x) }

// double returns 2x.
func (p precision) double(x *big.Float) *big.Float { return p.float().SetMantExp(x, 1) }

// half returns x/2.
func (p precision) half(x *big.Float) *big.Float { return p.float().SetMantExp(x, -1) }

// counts reports whether term is large enough to change the sum.
func (p precision) counts(term, sum *big.Float) bool {
	return term.Sign() != 0 && term.MantExp(nil) > sum.MantExp(nil)-int(p)
}

// exp returns e^x. It scales x down to less than 2^-8, adds Taylor's series, and squares.
func (p precision) exp(x *big.Float) *big.Float {
	squarings := max(0, x.MantExp(nil)+8)
	r := p.float().SetMantExp(x, -squarings)
	sum, term := p.integer(1), p.integer(1)
	for n := int64(1); p.counts(term, sum); n++ {
		term = p.div(p.mul(term, r), p.integer(n))
		sum = p.add(sum, term)
	}
	for range squarings {
		sum = p.mul(sum, sum)
	}
	return sum
}

// atanh returns (log(1+z)-log(1-z))/2 for a z that is far from 1, by its series.
func (p precision) atanh(z *big.Float) *big.Float {
	square := p.mul(z, z)
	sum, power, term := p.float().Set(z), z, z
	for n := int64(3); p.counts(term, sum); n += 2 {
		power = p.mul(power, square)
		term = p.div(power, p.integer(n))
		sum = p.add(sum, term)
	}
	return sum
}

// log returns the natural logarithm of x > 0, of the exponent and the mantissa apart. The
// mantissa is chosen near 1, so that their sum does not cancel.
func (p precision) log(x *big.Float) *big.Float {
	m := p.float()
	exponent := x.MantExp(m)
	if m.Cmp(big.NewFloat(0.7)) < 0 {
		m = p.double(m)
		exponent--
	}
	one := p.integer(1)
	z := p.div(p.sub(m, one), p.add(m, one))
	log2 := p.double(p.atanh(p.div(one, p.integer(3))))
	return p.add(p.mul(p.integer(int64(exponent)), log2), p.double(p.atanh(z)))
}

// log1p returns log(1+x) for x > -1.
func (p precision) log1p(x *big.Float) *big.Float {
	if x.MantExp(nil) < -1 { // |x| < 1/4
		return p.double(p.atanh(p.div(x, p.add(x, p.integer(2)))))
	}
	return p.log(p.add(x, p.integer(1)))
}

// erf returns the error function, by the series all of whose terms have one sign:
// 2/sqrt(pi) * exp(-x*x) * (x + 2x^3/3 + 4x^5/15 + ...).
func (p precision) erf(x *big.Float) *big.Float {
	square := p.mul(x, x)
	sum, term := p.float().Set(x), p.float().Set(x)
	for n := int64(3); p.counts(term, sum); n += 2 {
		term = p.div(p.double(p.mul(term, square)), p.integer(n))
		sum = p.add(sum, term)
	}
	return p.mul(p.mul(p.twoOverRootPi(), p.exp(p.neg(square))), sum)
}

// twoOverRootPi returns 2/sqrt(pi).
func (p precision) twoOverRootPi() *big.Float {
	return p.div(p.integer(2), p.float().Sqrt(p.pi()))
}

// pi returns pi by Machin's formula, 16 atan(1/5) - 4 atan(1/239).
func (p precision) pi() *big.Float {
	a := p.mul(p.integer(16), p.atanInverse(5))
	return p.sub(a, p.mul(p.integer(4), p.atanInverse(239)))
}

// atanInverse returns atan(1/q) by its series.
func (p precision) atanInverse(q int64) *big.Float {
	power := p.div(p.integer(1), p.integer(q))
	square := p.integer(-q * q)
	sum, term := p.float().Set(power), power
	for n := int64(3); p.counts(term, sum); n += 2 {
		power = p.div(power, square)
		term = p.div(power, p.integer(n))
		sum = p.add(sum, term)
	}
	return sum
}

// sigmoid returns 1/(1+e^-x).
func (p precision) sigmoid(x *big.Float) *big.Float {
	return p.div(p.integer(1), p.add(p.exp(p.neg(x)), p.integer(1)))
}

// phi returns the density of the standard normal distribution, exp(-x*x/2)/sqrt(2*pi).
func (p precision) phi(x *big.Float) *big.Float {
	return p.div(p.exp(p.neg(p.half(p.mul(x, x)))), p.float().Sqrt(p.double(p.pi())))
}

// bigPhi returns the distribution function of the standard normal distribution,
// (1+erf(x/sqrt(2)))/2.
func (p precision) bigPhi(x *big.Float) *big.Float {
	z := p.div(x, p.float().Sqrt(p.integer(2)))
	return p.half(p.add(p.erf(z), p.integer(1)))
}
