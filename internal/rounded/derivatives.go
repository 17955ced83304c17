package rounded

import (
	"math"
	"math/big"

	"github.com/gmind-go/compute/internal/bigfloat"
)

// step is the special part of the derivative of a function that gate describes: y0 at 0, 1
// from high on, and -0 up to low.
func step(x, y0, low, high float32) (float32, bool) {
	switch {
	case isNaN(x):
		return x, true
	case x == 0:
		return y0, true
	case x >= high:
		return 1, true
	case x <= low:
		return negative, true
	}
	return 0, false
}

// sum returns a+b and an error bound, as a fraction of both: they may cancel.
func sum(a, b, fraction float64) (y, bound float64) {
	return a + b, float64((math.Abs(a) + math.Abs(b)) * fraction)
}

var log1pPrime = quotient{
	special: func(x float32) (float32, bool) {
		switch {
		case isNaN(x):
			return x, true
		case x == -1:
			return inf, true
		case math.IsInf(float64(x), 0):
			return 1 / x, true
		}
		return 0, false
	},
	approx: func(x float64) float64 { return 1 / (1 + x) },
	exact: func(x *big.Rat) *big.Rat {
		return x.Inv(x.Add(x, big.NewRat(1, 1)))
	},
}

// Log1pPrime returns 1/(1+x), the derivative of Log1p: +Inf at -1.
func Log1pPrime(x float32) float32 { return log1pPrime.at(x) }

var tanhPrime = function{
	special: func(x float32) (float32, bool) { return even(x, 1, 53) },
	approx: func(x float64) (float64, float64) {
		e := math.Exp(-2 * math.Abs(x))
		return relative(4*e/((1+e)*(1+e)), loose)
	},
	exact: func(p bigfloat.Precision, x *big.Float) *big.Float {
		s := p.Sigmoid(p.Double(x))
		return p.Mul(p.Integer(4), p.Mul(s, p.Sub(p.Integer(1), s)))
	},
}

// TanhPrime returns 1/cosh(x)^2, the derivative of Tanh.
func TanhPrime(x float32) float32 { return tanhPrime.at(x) }

var sigmoidPrime = function{
	special: func(x float32) (float32, bool) { return even(x, 0.25, 104) },
	approx: func(x float64) (float64, float64) {
		e := math.Exp(-math.Abs(x))
		return relative(e/((1+e)*(1+e)), loose)
	},
	exact: func(p bigfloat.Precision, x *big.Float) *big.Float {
		s := p.Sigmoid(x)
		return p.Mul(s, p.Sub(p.Integer(1), s))
	},
}

// SigmoidPrime returns s*(1-s) for the real s = 1/(1+e^-x), the derivative of Sigmoid.
func SigmoidPrime(x float32) float32 { return sigmoidPrime.at(x) }

var erfPrime = function{
	special: func(x float32) (float32, bool) {
		if x == 0 {
			return 0, false // 2/sqrt(pi) has no short name
		}
		return even(x, 0, 10.3)
	},
	approx: func(x float64) (float64, float64) {
		return relative(2/math.SqrtPi*math.Exp(-x*x), loose)
	},
	exact: func(p bigfloat.Precision, x *big.Float) *big.Float {
		return p.Mul(p.TwoOverRootPi(), p.Exp(p.Neg(p.Mul(x, x))))
	},
}

// ErfPrime returns 2/sqrt(pi)*e^(-x*x), the derivative of Erf.
func ErfPrime(x float32) float32 { return erfPrime.at(x) }

var siluPrime = function{
	special: func(x float32) (float32, bool) { return step(x, 0.5, -110, 40) },
	approx: func(x float64) (float64, float64) {
		s := 1 / (1 + math.Exp(-x))
		return sum(s, x*s/(1+math.Exp(x)), loose)
	},
	exact: func(p bigfloat.Precision, x *big.Float) *big.Float {
		s := p.Sigmoid(x)
		return p.Add(s, p.Mul(x, p.Mul(s, p.Sub(p.Integer(1), s))))
	},
}

// SiLUPrime returns the derivative of SiLU: -0 at -Inf.
func SiLUPrime(x float32) float32 { return siluPrime.at(x) }

var geluPrime = function{
	special: func(x float32) (float32, bool) { return step(x, 0.5, -15, 8) },
	approx: func(x float64) (float64, float64) {
		phi := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
		return sum(float64(0.5*math.Erfc(-x/math.Sqrt2)), float64(x*phi), looser)
	},
	exact: func(p bigfloat.Precision, x *big.Float) *big.Float {
		return p.Add(p.NormalCDF(x), p.Mul(x, p.NormalPDF(x)))
	},
}

// GELUPrime returns the derivative of GELU: -0 at -Inf.
func GELUPrime(x float32) float32 { return geluPrime.at(x) }

var geluTanhPrime = function{
	special: func(x float32) (float32, bool) { return step(x, 0.5, -12, 12) },
	approx: func(x float64) (float64, float64) {
		v, slope := twiceU(x)
		s := 1 / (1 + math.Exp(-v))
		return sum(s, x*slope*s/(1+math.Exp(v)), looser)
	},
	exact: func(p bigfloat.Precision, x *big.Float) *big.Float {
		v, slope := bigTwiceU(p, x)
		s := p.Sigmoid(v)
		ds := p.Mul(p.Mul(s, p.Sub(p.Integer(1), s)), slope)
		return p.Add(s, p.Mul(x, ds))
	},
}

// GELUTanhPrime returns the derivative of GELUTanh: -0 at -Inf.
func GELUTanhPrime(x float32) float32 { return geluTanhPrime.at(x) }

var mishPrime = function{
	special: func(x float32) (float32, bool) { return step(x, 0.6, -110, 40) },
	approx: func(x float64) (float64, float64) {
		e := math.Exp(x)
		n := float64(e * (e + 2))
		return sum(n/(n+2), x*4*e*(e+1)/((n+2)*(n+2)), loose)
	},
	exact: func(p bigfloat.Precision, x *big.Float) *big.Float {
		e := p.Exp(x)
		n := p.Mul(e, p.Add(e, p.Integer(2)))
		below := p.Add(n, p.Integer(2))
		slope := p.Mul(p.Mul(p.Integer(4), e), p.Add(e, p.Integer(1)))
		return p.Add(p.Div(n, below), p.Div(p.Mul(x, slope), p.Mul(below, below)))
	},
}

// MishPrime returns the derivative of Mish: -0 at -Inf.
func MishPrime(x float32) float32 { return mishPrime.at(x) }

var softsignPrime = quotient{
	special: func(x float32) (float32, bool) { return even(x, 1, inf) },
	approx: func(x float64) float64 {
		d := 1 + math.Abs(x)
		return 1 / (d * d)
	},
	exact: func(x *big.Rat) *big.Rat {
		d := new(big.Rat).Add(x.Abs(x), big.NewRat(1, 1))
		return d.Inv(d.Mul(d, d))
	},
}

// SoftsignPrime returns 1/(1+|x|)^2, the derivative of Softsign.
func SoftsignPrime(x float32) float32 { return softsignPrime.at(x) }
