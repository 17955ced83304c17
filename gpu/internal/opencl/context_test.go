//go:build opencl && cgo

package opencl

import (
	"testing"
)

// TestUncontracted: a product is rounded before something is added to it.
func TestUncontracted(t *testing.T) {
	c, q := openFirst(t)
	k := newKernel(t, c, "multiply_add", 4)
	// The square of 1+2^-12 is 1+2^-11+2^-24, which rounds to 1+2^-11.
	const a = 1 + 1.0/4096
	x, y := alloc(t, c, 1), []float32{a}
	check(t, q.Write(x, 0, y), q.Launch(k, 1, 1, x, x, float32(a), float32(-1-1.0/2048)), q.Read(x, 0, y))
	if y[0] != 0 {
		t.Errorf("the sum is %g, and should be that of the rounded product, 0", y[0])
	}
}
