package ir

import "math"

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

func dc(f func(x, y float64) bool) func(a, b, c uint64) uint64 {
	return func(a, b, _ uint64) uint64 {
		return fromBool(f(math.Float64frombits(a), math.Float64frombits(b)))
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

// fma returns x*y+z, rounded once. The product is exact in float64. The sum is rounded to odd
// there, so that rounding it again to float32 is as rounding it once.
func fma(x, y, z float32) float32 {
	product := float64(float64(x) * float64(y))
	sum := product + float64(z)
	if math.IsInf(sum, 0) || sum != sum {
		return float32(sum)
	}
	part := sum - product
	lost := (product - (sum - part)) + (float64(z) - part)
	if bits := math.Float64bits(sum); lost != 0 && bits&1 == 0 {
		if (lost > 0) == (sum > 0) {
			bits++ // away from zero
		} else {
			bits--
		}
		sum = math.Float64frombits(bits)
	}
	return float32(sum)
}

// toUint32 rounds toward zero and saturates; it returns 0 for NaN.
func toUint32(x float32) uint64 {
	switch {
	case x >= 1<<32:
		return math.MaxUint32
	case x > 0:
		return uint64(x)
	}
	return 0
}

// canonical returns the bits of a float32, with one pattern for all NaNs.
func canonical(a uint64) uint64 {
	if x := toF32(a); x != x {
		return 0x7fc00000
	}
	return a
}

// twoSum returns x+y and the error of its rounding, which is exact unless the sum overflows.
func twoSum(a, b, _ uint64) uint64 {
	x, y := toF32(a), toF32(b)
	high := x + y
	part := high - x
	low := (x - (high - part)) + (y - part)
	return fromF32(high) | fromF32(low)<<32
}

// twoProduct returns x*y and the error of its rounding, which is exact unless it is
// subnormal or the product overflows.
func twoProduct(a, b, _ uint64) uint64 {
	x, y := toF32(a), toF32(b)
	high := float32(x * y)
	return fromF32(high) | fromF32(fma(x, y, -high))<<32
}
