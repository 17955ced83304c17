package ir

import (
	"math"

	"github.com/gmind-go/compute/internal/single"
)

// The reference passes values as their bits in a uint64: those of a float32 or uint32 are
// the low half, and the high half is 0.

// sign is the sign bit of a float32.
const sign = 1 << 31

func toF32(a uint64) float32   { return math.Float32frombits(uint32(a)) }
func fromF32(x float32) uint64 { return uint64(math.Float32bits(x)) }

func fromBool(c bool) uint64 {
	if c {
		return 1
	}
	return 0
}

// The following adapt functions of typed values, by the types and number of their operands.

func f1(f func(x float32) float32) func(a, b, c uint64) uint64 {
	return func(a, _, _ uint64) uint64 { return fromF32(f(toF32(a))) }
}

func f2(f func(x, y float32) float32) func(a, b, c uint64) uint64 {
	return func(a, b, _ uint64) uint64 { return fromF32(f(toF32(a), toF32(b))) }
}

func f3(f func(x, y, z float32) float32) func(a, b, c uint64) uint64 {
	return func(a, b, c uint64) uint64 { return fromF32(f(toF32(a), toF32(b), toF32(c))) }
}

func fc(f func(x, y float32) bool) func(a, b, c uint64) uint64 {
	return func(a, b, _ uint64) uint64 { return fromBool(f(toF32(a), toF32(b))) }
}

func u2(f func(x, y uint32) uint32) func(a, b, c uint64) uint64 {
	return func(a, b, _ uint64) uint64 { return uint64(f(uint32(a), uint32(b))) }
}

func uc(f func(x, y uint32) bool) func(a, b, c uint64) uint64 {
	return func(a, b, _ uint64) uint64 { return fromBool(f(uint32(a), uint32(b))) }
}

func d1(f func(x float64) float64) func(a, b, c uint64) uint64 {
	return func(a, _, _ uint64) uint64 { return math.Float64bits(f(math.Float64frombits(a))) }
}

func d2(f func(x, y float64) float64) func(a, b, c uint64) uint64 {
	return func(a, b, _ uint64) uint64 {
		return math.Float64bits(f(math.Float64frombits(a), math.Float64frombits(b)))
	}
}

func d3(f func(x, y, z float64) float64) func(a, b, c uint64) uint64 {
	return func(a, b, c uint64) uint64 {
		return math.Float64bits(f(math.Float64frombits(a), math.Float64frombits(b), math.Float64frombits(c)))
	}
}

// through returns a function of float64 as one of float32. The result must be exact.
func through(f func(x float64) float64) func(x float32) float32 {
	return func(x float32) float32 { return float32(f(float64(x))) }
}

func where(c, a, b uint64) uint64 {
	if c != 0 {
		return a
	}
	return b
}

func choose(c bool, x, y float32) float32 {
	if c {
		return x
	}
	return y
}

// neg flips the sign, that of a NaN too.
func neg(x float32) float32 { return math.Float32frombits(math.Float32bits(x) ^ sign) }

// canonical returns the bits of a float32, with one pattern for all NaNs.
func canonical(a uint64) uint64 {
	return uint64(single.Bits(toF32(a)))
}
