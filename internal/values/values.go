// Package values makes the float32 inputs for tests and benchmarks of backends, and compares
// results bit by bit.
package values

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Special returns the values for which implementations of an activation are often wrong:
// zeros, subnormals, the ends of the normal range, infinities and NaNs of both signs, their
// neighbours, and some ordinary values.
func Special() []float32 {
	bits := []uint32{
		0x00000000, // +0
		0x00000001, // smallest subnormal
		0x00000002,
		0x00400000, // a subnormal in the middle
		0x007fffff, // largest subnormal
		0x00800000, // smallest normal
		0x00800001,
		0x01000000, // 2^-125: times 0.01 it is subnormal
		0x33d6bf95, // 1e-7
		0x3c23d70a, // 0.01
		0x3f7fffff, // just below 1
		0x3f800000, // 1
		0x3f800001, // just above 1
		0x40490fdb, // pi
		0x4b7fffff, // 2^24 - 1
		0x7e967699, // 1e38
		0x7f7fffff, // largest finite
		0x7f800000, // Inf
		0x7f800001, // a signalling NaN
		0x7fc00000, // the quiet NaN
		0x7fffffff, // the last NaN
	}
	v := make([]float32, 0, 2*len(bits))
	for _, b := range bits {
		v = append(v, math.Float32frombits(b), math.Float32frombits(b|0x80000000))
	}
	return v
}

// Normal returns n values of the standard normal distribution. They depend on the seed only.
func Normal(n int, seed uint64) []float32 {
	r := source(seed)
	return fill(n, func() float32 { return float32(r.NormFloat64()) })
}

// Uniform returns n values evenly distributed over [-1, 1). They depend on the seed only.
func Uniform(n int, seed uint64) []float32 {
	r := source(seed)
	return fill(n, func() float32 { return 2*r.Float32() - 1 })
}

// Bits returns n values in which every bit pattern is equally likely, also those of NaNs,
// infinities and subnormals. They depend on the seed only.
func Bits(n int, seed uint64) []float32 {
	r := source(seed)
	return fill(n, func() float32 { return math.Float32frombits(r.Uint32()) })
}

func source(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

func fill(n int, next func() float32) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = next()
	}
	return v
}

// Same reports whether a and b have the same bits or are both NaN, as the contract of
// package compute requires of a result and its reference.
func Same(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// Identical reports whether a and b have the same bits, as a copy has.
func Identical(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// IsSubnormal reports whether a is subnormal; zero is not.
func IsSubnormal(a float32) bool { return a != 0 && math.Abs(float64(a)) < 0x1p-126 }

// Show returns a as a number and as bits.
func Show(a float32) string { return fmt.Sprintf("%v (0x%08x)", a, math.Float32bits(a)) }

// Each returns the n values of op.
func Each(n int, op func(i int) float32) []float32 {
	all := make([]float32, n)
	for i := range all {
		all[i] = op(i)
	}
	return all
}
