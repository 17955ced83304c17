// Package single has what Go lacks of the arithmetic of float32. Its functions have no branch
// that depends on their arguments. Package ir defines operations by them, and the kernels in
// plain Go call them.
package single

import "math"

// FMA returns x*y + z, rounded once.
func FMA(x, y, z float32) float32 {
	// The product is exact in float64. The sum is rounded to odd there, so that rounding it
	// again to float32 is as rounding it once: the float64 nearest to the sum, if it lost
	// something and is even, becomes its neighbor on the other side of the sum.
	product := float64(float64(x) * float64(y))
	sum := product + float64(z)
	part := sum - product
	lost := (product - (sum - part)) + (float64(z) - part) // NaN if sum is infinite or NaN
	bits := math.Float64bits(sum)
	step := int64(bits^math.Float64bits(lost))>>63 | 1 // 1 away from zero, -1 toward it
	step &= int64(bits&1) - 1
	if !(math.Abs(lost) > 0) {
		step = 0
	}
	return float32(math.Float64frombits(bits + uint64(step)))
}

// Uint32 returns x rounded toward zero: 0 below 0 and for NaN, 1<<32 - 1 above.
func Uint32(x float32) uint32 {
	u := uint32(int64(x)) // it means nothing where x is outside of the range
	if x >= 1<<32 {
		u = math.MaxUint32
	}
	if !(x > 0) {
		u = 0
	}
	return u
}

// Bits returns the bits of x: 0x7fc00000 for every NaN.
func Bits(x float32) uint32 {
	u := math.Float32bits(x)
	if x != x {
		u = 0x7fc00000
	}
	return u
}
