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
	x := values.Special()
	if len(x)%4 == 0 { // so that the kernels' tail is tested too
		x = append(x, -3)
	}
	dy := make([]float32, len(x))
	for i := range dy {
		dy[i] = x[(i*5+3)%len(x)]
	}
	for _, slope := range []float32{compute.DefaultNegativeSlope, -0.5, 2.5} {
		f := compute.LeakyReLU(slope)
		tests := []struct {
			name string
			run  func(dst, dy, x compute.Buffer) error
			want func(dy, x float32) float32
		}{
			{"forward", func(dst, _, x compute.Buffer) error { return b.Forward(f, dst, x) },
				func(_, x float32) float32 { return f.Value(x) }},
			{"derivative", func(dst, _, x compute.Buffer) error { return b.Derivative(f, dst, x) },
				func(_, x float32) float32 { return f.Derivative(x) }},
			{"backward", func(dst, dy, x compute.Buffer) error { return b.Backward(f, dst, dy, x) },
				func(dy, x float32) float32 { return dy * f.Derivative(x) }},
		}
		for _, t := range tests {
			got, err := compute3(b, t.run, dy, x)
			if err != nil {
				return false, fmt.Errorf("self-test: %w", err)
			}
			for i := range got {
				want := t.want(dy[i], x[i])
				if values.Same(got[i], want) {
					continue
				}
				if !flushed(t.want, got[i], dy[i], x[i]) {
					return false, fmt.Errorf("self-test: %s of %v at x = %v (bits %08x), dy = %v gives %v (bits %08x) and not %v (bits %08x); its driver cannot be trusted: %w",
						t.name, f, x[i], math.Float32bits(x[i]), dy[i], got[i], math.Float32bits(got[i]), want, math.Float32bits(want), compute.ErrUnavailable)
				}
				flushes = true
			}
		}
	}
	return flushes, nil
}

// compute3 runs one operation on copies of dy and x, and returns its result.
func compute3(b compute.Backend, run func(dst, dy, x compute.Buffer) error, dy, x []float32) (got []float32, err error) {
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
// result, or both are replaced by zero.
func flushed(want func(dy, x float32) float32, got, dy, x float32) bool {
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
