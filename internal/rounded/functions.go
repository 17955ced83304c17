package rounded

import (
	"math"
	"math/big"

	"github.com/gmind-go/compute/internal/bigfloat"
)

// The bounds of the relative error of a result in float64. They allow for much more than
// package math has, since the functions there differ by processor.
const (
	loose  = 0x1p-42
	looser = 0x1p-40 // where the argument of an exponential is rounded, and is up to 150
)

// relative returns y and its error bound, as a fraction of y.
func relative(y, fraction float64) (float64, float64) { return y, float64(math.Abs(y) * fraction) }

// odd is the special part of an odd function that is x at 0, and 1 from limit on.
func odd(x, limit float32) (float32, bool) {
	switch {
	case isNaN(x) || x == 0:
		return x, true
	case x >= limit:
		return 1, true
	case x <= -limit:
		return -1, true
	}
	return 0, false
}

// gate is the special part of a function that is x*g(x), with g from 0 to 1: x at 0 and from
// high on, and -0 up to low, where the value is above -2^-150.
func gate(x, low, high float32) (float32, bool) {
	switch {
	case isNaN(x) || x == 0 || x >= high:
		return x, true
	case x <= low:
		return negative, true
	}
	return 0, false
}

// even is the special part of a function that is even, y0 at 0, and +0 from limit on, where
// the value is below 2^-150.
func even(x, y0, limit float32) (float32, bool) {
	switch {
	case isNaN(x):
		return x, true
	case x == 0:
		return y0, true
	case x >= limit || x <= -limit:
		return 0, true
	}
	return 0, false
}

var exp = function{
	special: func(x float32) (float32, bool) {
		switch {
		case isNaN(x):
			return x, true
		case x == 0:
			return 1, true
		case x >= 89:
			return inf, true
		case x <= -104: // e^x < 2^-150
			return 0, true
		}
		return 0, false
	},
	approx: func(x float64) (float64, float64) { return relative(math.Exp(x), loose) },
	exact:  bigfloat.Precision.Exp,
}

// Exp returns e^x: +0 at -Inf.
func Exp(x float32) float32 { return exp.at(x) }

var expm1 = function{
	special: func(x float32) (float32, bool) {
		switch {
		case isNaN(x) || x == 0:
			return x, true
		case x >= 89:
			return inf, true
		case x <= -30:
			return -1, true
		}
		return 0, false
	},
	approx: func(x float64) (float64, float64) { return relative(math.Expm1(x), loose) },
	exact:  func(p bigfloat.Precision, x *big.Float) *big.Float { return p.Sub(p.Exp(x), p.Integer(1)) },
}

// Expm1 returns e^x-1: x at zeros.
func Expm1(x float32) float32 { return expm1.at(x) }

var log = function{
	special: func(x float32) (float32, bool) {
		switch {
		case isNaN(x) || x < 0:
			return nan, true
		case x == 0:
			return -inf, true
		case x == 1:
			return 0, true
		case x == inf:
			return inf, true
		}
		return 0, false
	},
	approx: func(x float64) (float64, float64) { return relative(math.Log(x), loose) },
	exact:  bigfloat.Precision.Log,
}

// Log returns the natural logarithm of x: -Inf at zeros, NaN below.
func Log(x float32) float32 { return log.at(x) }

var log1p = function{
	special: func(x float32) (float32, bool) {
		switch {
		case isNaN(x) || x < -1:
			return nan, true
		case x == -1:
			return -inf, true
		case x == 0 || x == inf:
			return x, true
		}
		return 0, false
	},
	approx: func(x float64) (float64, float64) { return relative(math.Log1p(x), loose) },
	exact:  bigfloat.Precision.Log1p,
}

// Log1p returns log(1+x): x at zeros, -Inf at -1, NaN below.
func Log1p(x float32) float32 { return log1p.at(x) }

var tanh = function{
	special: func(x float32) (float32, bool) { return odd(x, 10) },
	approx: func(x float64) (float64, float64) {
		e := math.Expm1(2 * x)
		return relative(e/(e+2), loose)
	},
	exact: func(p bigfloat.Precision, x *big.Float) *big.Float {
		e := p.Sub(p.Exp(p.Double(x)), p.Integer(1))
		return p.Div(e, p.Add(e, p.Integer(2)))
	},
}

// Tanh returns the hyperbolic tangent of x: x at zeros.
func Tanh(x float32) float32 { return tanh.at(x) }

var sigmoid = function{
	special: func(x float32) (float32, bool) {
		switch {
		case isNaN(x):
			return x, true
		case x == 0:
			return 0.5, true
		case x >= 18:
			return 1, true
		case x <= -104:
			return 0, true
		}
		return 0, false
	},
	approx: func(x float64) (float64, float64) { return relative(1/(1+math.Exp(-x)), loose) },
	exact:  bigfloat.Precision.Sigmoid,
}

// Sigmoid returns 1/(1+e^-x): +0 at -Inf.
func Sigmoid(x float32) float32 { return sigmoid.at(x) }

var softplus = function{
	special: func(x float32) (float32, bool) {
		switch {
		case isNaN(x) || x >= 100:
			return x, true
		case x <= -104:
			return 0, true
		}
		return 0, false
	},
	approx: func(x float64) (float64, float64) {
		return relative(max(x, 0)+math.Log1p(math.Exp(-math.Abs(x))), loose)
	},
	exact: func(p bigfloat.Precision, x *big.Float) *big.Float { return p.Log1p(p.Exp(x)) },
}

// Softplus returns log(1+e^x): +0 at -Inf.
func Softplus(x float32) float32 { return softplus.at(x) }

// LogSigmoid returns -log(1+e^-x): -0 at +Inf.
func LogSigmoid(x float32) float32 { return -softplus.at(-x) }

var erf = function{
	special: func(x float32) (float32, bool) { return odd(x, 4) },
	approx:  func(x float64) (float64, float64) { return relative(math.Erf(x), loose) },
	exact:   bigfloat.Precision.Erf,
}

// Erf returns the error function of x: x at zeros.
func Erf(x float32) float32 { return erf.at(x) }

var silu = function{
	special: func(x float32) (float32, bool) { return gate(x, -110, 40) },
	approx:  func(x float64) (float64, float64) { return relative(x/(1+math.Exp(-x)), loose) },
	exact:   func(p bigfloat.Precision, x *big.Float) *big.Float { return p.Mul(x, p.Sigmoid(x)) },
}

// SiLU returns x/(1+e^-x): x at zeros, -0 at -Inf.
func SiLU(x float32) float32 { return silu.at(x) }

var gelu = function{
	special: func(x float32) (float32, bool) { return gate(x, -15, 8) },
	approx: func(x float64) (float64, float64) {
		return relative(0.5*x*math.Erfc(-x/math.Sqrt2), looser)
	},
	exact: func(p bigfloat.Precision, x *big.Float) *big.Float { return p.Mul(x, p.NormalCDF(x)) },
}

// GELU returns x times the distribution function of the standard normal distribution: x at
// zeros, -0 at -Inf.
func GELU(x float32) float32 { return gelu.at(x) }

// The approximation of GELU by tanh is x*sigmoid(2u) with u = sqrt(2/pi)*(x+cubic*x^3).
const cubic = 0.044715

// twiceU returns 2u and its derivative.
func twiceU(x float64) (v, slope float64) {
	const scale = 2 * math.Sqrt2 / (math.SqrtPi)
	return scale * (x + float64(cubic*x*x*x)), scale * (1 + float64(3*cubic*x*x))
}

// bigTwiceU is twiceU with precision p.
func bigTwiceU(p bigfloat.Precision, x *big.Float) (v, slope *big.Float) {
	scale := p.Double(p.Float().Sqrt(p.Div(p.Integer(2), p.Pi())))
	c := p.Div(p.Integer(44715), p.Integer(1000000))
	square := p.Mul(c, p.Mul(x, x))
	v = p.Mul(scale, p.Add(x, p.Mul(square, x)))
	slope = p.Mul(scale, p.Add(p.Integer(1), p.Mul(p.Integer(3), square)))
	return v, slope
}

var geluTanh = function{
	special: func(x float32) (float32, bool) { return gate(x, -12, 12) },
	approx: func(x float64) (float64, float64) {
		v, _ := twiceU(x)
		return relative(x/(1+math.Exp(-v)), looser)
	},
	exact: func(p bigfloat.Precision, x *big.Float) *big.Float {
		v, _ := bigTwiceU(p, x)
		return p.Mul(x, p.Sigmoid(v))
	},
}

// GELUTanh returns x*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3)))/2, with the real square root and
// the decimal constant: x at zeros, -0 at -Inf.
func GELUTanh(x float32) float32 { return geluTanh.at(x) }

// Mish is x*tanh(log(1+e)) = x*n/(n+2) with e = e^x and n = e*(e+2).
var mish = function{
	special: func(x float32) (float32, bool) { return gate(x, -110, 40) },
	approx: func(x float64) (float64, float64) {
		e := math.Exp(x)
		n := float64(e * (e + 2))
		return relative(x*n/(n+2), loose)
	},
	exact: func(p bigfloat.Precision, x *big.Float) *big.Float {
		e := p.Exp(x)
		n := p.Mul(e, p.Add(e, p.Integer(2)))
		return p.Div(p.Mul(x, n), p.Add(n, p.Integer(2)))
	},
}

// Mish returns x*tanh(log(1+e^x)): x at zeros, -0 at -Inf.
func Mish(x float32) float32 { return mish.at(x) }

var softsign = quotient{
	special: func(x float32) (float32, bool) { return odd(x, inf) },
	approx:  func(x float64) float64 { return x / (1 + math.Abs(x)) },
	exact: func(x *big.Rat) *big.Rat {
		one := big.NewRat(1, 1)
		return new(big.Rat).Quo(x, one.Add(one, new(big.Rat).Abs(x)))
	},
}

// Softsign returns x/(1+|x|): x at zeros.
func Softsign(x float32) float32 { return softsign.at(x) }
