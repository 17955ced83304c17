// Package rounded has functions of one float32 that are correctly rounded: the result is
// the float32 nearest to the real value, to nearest even, for every input. It is the
// reference for every other implementation, on any processor.
//
// A function is computed in float64 first. Where the error of that leaves more than one
// float32 possible, math/big computes it with as many bits as it takes.
package rounded

import (
	"math"
	"math/big"

	"github.com/gmind-go/compute/internal/bigfloat"
)

// A function has three parts, so that each is simple.
type function struct {
	// special returns the result where it needs no arithmetic: at zeros, infinities and
	// NaN, outside the domain, and where it is a limit, rounded.
	special func(x float32) (y float32, ok bool)

	// approx returns the value in float64 and a bound of its absolute error.
	approx func(x float64) (y, bound float64)

	// exact returns the value with a relative error below 2^-p, if computed with p+guard bits.
	exact func(p bigfloat.Precision, x *big.Float) *big.Float
}

// guard is the number of bits that the exact formulas may lose. They lose most, 162 bits, in
// 1-erf(10.6), and 150 bits in exp(x)-1 for the smallest x.
const guard = 400

// at returns f(x).
func (f *function) at(x float32) float32 {
	if y, ok := f.special(x); ok {
		return y
	}
	y, bound := f.approx(float64(x))
	if float32(y-bound) == float32(y+bound) && math.Abs(y) > bound { // the sign of a zero is that of y
		return float32(y)
	}
	return f.exactly(x)
}

// exactly returns f(x) for an x that is not special. It doubles the precision until only one
// float32 is possible. That happens because the value is transcendental for these x, and so
// never halfway between two float32; the limit is never reached.
func (f *function) exactly(x float32) float32 {
	for p := bigfloat.Precision(100); ; p *= 2 {
		y := f.exact(p+guard, new(big.Float).SetFloat64(float64(x)))
		bound := new(big.Float).SetMantExp(y, -int(p))
		low, _ := (p + guard).Sub(y, bound).Float32()
		high, _ := (p + guard).Add(y, bound).Float32()
		if low == high || p > 3000 {
			return low
		}
	}
}

// A quotient is a function whose value is rational: it may lie halfway between two float32,
// and math/big has it exactly.
type quotient struct {
	special func(x float32) (y float32, ok bool)
	approx  func(x float64) float64
	exact   func(x *big.Rat) *big.Rat
}

// at returns f(x).
func (f *quotient) at(x float32) float32 {
	if y, ok := f.special(x); ok {
		return y
	}
	y := f.approx(float64(x))
	bound := float64(math.Abs(y) * 0x1p-48)
	if float32(y-bound) == float32(y+bound) {
		return float32(y)
	}
	z, _ := f.exact(new(big.Rat).SetFloat64(float64(x))).Float32()
	return z
}

var (
	nan      = float32(math.NaN())
	inf      = float32(math.Inf(1))
	negative = float32(math.Copysign(0, -1)) // -0
)

// isNaN reports whether x is NaN.
func isNaN(x float32) bool { return x != x }
