package gpu

import (
	"fmt"
	"math"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/values"
)

// selfTest computes special values on b and compares them with the reference.
// It returns an error that names the first wrong one, and whether the device
// replaces subnormals by zero, which is the one deviation that is let pass.
func selfTest(b compute.Backend) (flushes bool, err error) {
	special := values.Special()
	last := len(special) - 3
	// All of them, and, for the end of the kernels that does elements one by one,
	// zeros and NaNs alone.
	for _, x := range [][]float32{special, special[:3], special[last:]} {
		for _, slope := range []float32{compute.DefaultNegativeSlope, -0.5, 2.5} {
			flushed, err := testValues(b, compute.LeakyReLU(slope), x)
			if err != nil {
				return false, fmt.Errorf("self-test: %w", err)
			}
			flushes = flushes || flushed
		}
	}
	return flushes, nil
}

// testValues is selfTest for one activation and one input.
func testValues(b compute.Backend, f compute.Activation, x []float32) (flushes bool, err error) {
	dy := make([]float32, len(x))
	for i := range dy {
		dy[i] = x[(i*5+3)%len(x)]
	}
	tests := []struct {
		name string
		dy   []float32 // x where the operation has none
		run  func(dst, dy, x compute.Buffer) error
		want func(dy, x float32) float32
	}{
		{"forward", x, func(dst, _, x compute.Buffer) error { return b.Forward(f, dst, x) },
			func(_, x float32) float32 { return f.Value(x) }},
		{"derivative", x, func(dst, _, x compute.Buffer) error { return b.Derivative(f, dst, x) },
			func(_, x float32) float32 { return f.Derivative(x) }},
		{"backward", dy, func(dst, dy, x compute.Buffer) error { return b.Backward(f, dst, dy, x) },
			func(dy, x float32) float32 { return dy * f.Derivative(x) }},
	}
	for _, t := range tests {
		got, err := runOn(b, t.run, t.dy, x)
		if err != nil {
			return false, err
		}
		for i := range got {
			want := t.want(t.dy[i], x[i])
			if values.Same(got[i], want) {
				continue
			}
			if !flushed(t.want, got[i], t.dy[i], x[i]) {
				return false, fmt.Errorf("%s of %v at x = %s, dy = %s gives %s and not %s; its driver cannot be trusted: %w",
					t.name, f, show(x[i]), show(t.dy[i]), show(got[i]), show(want), compute.ErrUnavailable)
			}
			flushes = true
		}
	}
	return flushes, nil
}

// show returns v as a number and as bits.
func show(v float32) string { return fmt.Sprintf("%v (0x%08x)", v, math.Float32bits(v)) }

// runOn runs one operation on copies of dy and x, and returns its result.
func runOn(b compute.Backend, run func(dst, dy, x compute.Buffer) error, dy, x []float32) (got []float32, err error) {
	bufs := make([]compute.Buffer, 3)
	defer func() {
		for _, buf := range bufs {
			if buf != nil {
				buf.Release()
			}
		}
	}()
	if bufs[0], err = b.Alloc(len(x)); err != nil {
		return nil, err
	}
	if bufs[1], err = b.Upload(dy); err != nil {
		return nil, err
	}
	if bufs[2], err = b.Upload(x); err != nil {
		return nil, err
	}
	if err := run(bufs[0], bufs[1], bufs[2]); err != nil {
		return nil, err
	}
	got = make([]float32, len(x))
	return got, bufs[0].Read(got)
}

// flushed tells whether got is what want returns when subnormal operands, the
// result, or both are replaced by zero, of any sign.
func flushed(want func(dy, x float32) float32, got, dy, x float32) bool {
	if w := want(dy, x); !values.IsSubnormal(x) && !values.IsSubnormal(dy) && !values.IsSubnormal(w) {
		return false
	}
	for _, dy := range []float32{dy, flush(dy)} {
		for _, x := range []float32{x, flush(x)} {
			w := want(dy, x)
			if got == w || got == flush(w) {
				return true
			}
		}
	}
	return false
}

// flush returns 0 for a subnormal v and else v.
func flush(v float32) float32 {
	if values.IsSubnormal(v) {
		return 0
	}
	return v
}
