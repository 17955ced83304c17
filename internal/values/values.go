// Package values makes the float32 inputs that backends are tested and timed
// on, and compares what they return bit by bit.
package values

import (
	"math"
	"math/rand/v2"
)

// Special returns the values at which implementations of an activation go
// wrong: zeros, subnormals, the ends of the normal range, infinities and NaNs
// of both signs, the neighbours of each, and some ordinary values.
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

// Normal returns n values of the standard normal distribution, the same for the
// same seed.
func Normal(n int, seed uint64) []float32 {
	r := source(seed)
	return fill(n, func() float32 { return float32(r.NormFloat64()) })
}

// Uniform returns n values spread evenly over [-1, 1), the same for the same
// seed.
func Uniform(n int, seed uint64) []float32 {
	r := source(seed)
	return fill(n, func() float32 { return 2*r.Float32() - 1 })
}

// Bits returns n values with every bit pattern equally likely, NaNs, infinities
// and subnormals among them, the same for the same seed.
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

// Same tells whether a and b have the same bits or are both NaN: what the
// contract of package compute promises of a result.
func Same(a, b float32) bool {
	return math.Float32bits(a) == math.Float32bits(b) || a != a && b != b
}

// Identical tells whether a and b have the same bits, as a copy has.
func Identical(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }

// IsSubnormal tells whether a is neither zero nor normal.
func IsSubnormal(a float32) bool {
	return a != 0 && math.Abs(float64(a)) < 0x1p-126
}
