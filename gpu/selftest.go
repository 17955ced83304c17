package gpu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/ops"
	"github.com/gmind-go/compute/internal/values"
)

// selfTest computes special values on b and compares them with the reference.
// Its error names the first wrong one and wraps compute.ErrUnavailable, since the
// device is not to be used, and compute.ErrDevice. A device that does nothing but
// replace subnormals by zero passes; flushes tells.
func selfTest(b compute.Backend) (flushes bool, err error) {
	special := values.Special()
	// Many work-groups, with a rest for the end of the kernels that does elements
	// one by one.
	long := slices.Repeat(special, 200)
	for _, f := range ops.Activations() {
		flushed, err := testValues(b, f, long[:len(long)-1])
		if err != nil {
			return false, err
		}
		flushes = flushes || flushed
	}
	// Every special value through that end.
	f := compute.LeakyReLU(-0.5)
	for part := range slices.Chunk(special, 3) {
		flushed, err := testValues(b, f, part)
		if err != nil {
			return false, err
		}
		flushes = flushes || flushed
	}
	flushed, err := testStream(b, f, special)
	return flushes || flushed, err
}

// testStream is selfTest for the ways that data takes to the device and back.
func testStream(b compute.Backend, f compute.Activation, special []float32) (flushes bool, err error) {
	const page = 4096 / 4
	forward := ops.All()[compute.OpForward]
	// Two pages that begin as such, which devices may use where they are.
	host := make([]float32, 3*page)
	host = host[-uintptr(unsafe.Pointer(&host[0]))/4%page:]
	xs, got := host[:page], host[page:2*page]
	for i := range xs {
		xs[i] = special[i%len(special)]
	}
	if err := b.Stream(context.Background(), compute.OpForward, f, got, xs); err != nil {
		return false, fmt.Errorf("self-test: %w", err)
	}
	return compareAll(forward, f, got, xs, xs)
}

// testValues is selfTest for one activation and one input.
func testValues(b compute.Backend, f compute.Activation, xs []float32) (flushes bool, err error) {
	dys := make([]float32, len(xs))
	for i := range dys {
		dys[i] = xs[(i*5+3)%len(xs)]
	}
	var x, dy, dst compute.Buffer
	for _, upload := range []struct {
		to     *compute.Buffer
		values []float32
	}{{&x, xs}, {&dy, dys}, {&dst, dys}} {
		buf, err := b.Upload(upload.values)
		if err != nil {
			return false, fmt.Errorf("self-test: %w", err)
		}
		defer buf.Release()
		*upload.to = buf
	}
	got := make([]float32, len(xs))
	for i, op := range ops.All() {
		to := dst
		if i == len(ops.All())-1 { // the last one in place
			to = dy
		}
		if err := errors.Join(op.Run(b, f, to, dy, x), to.Read(got)); err != nil {
			return false, fmt.Errorf("self-test: %w", err)
		}
		flushed, err := compareAll(op, f, got, dys, xs)
		if err != nil {
			return false, err
		}
		flushes = flushes || flushed
	}
	flushed, err := testTwoResults(b, f, xs, dys, x, dy, dst)
	return flushes || flushed, err
}

// testTwoResults is testValues for the calls that write or read more than a buffer,
// in place. x holds xs, and dst is of use to it.
func testTwoResults(b compute.Backend, f compute.Activation, xs, dys []float32, x, dy, dst compute.Buffer) (flushes bool, err error) {
	m, err := b.AllocMask(len(xs))
	if err != nil {
		return false, fmt.Errorf("self-test: %w", err)
	}
	defer m.Release()
	type result struct {
		of  int // in ops.All
		buf compute.Buffer
	}
	const forward, derivative, backward = 0, 1, 2
	got := make([]float32, len(xs))
	for _, step := range []struct {
		name    string
		mask    bool // to be compared too
		run     func() error
		results []result
	}{
		{"forward derivative", false, func() error {
			return b.ForwardDerivative(f, x, dst, x)
		}, []result{{forward, x}, {derivative, dst}}},
		{"forward mask", true, func() error {
			return errors.Join(x.Write(xs), dy.Write(dys),
				b.ForwardMask(f, dst, m, dy), // other bits, which must not stay
				b.ForwardMask(f, x, m, x))
		}, []result{{forward, x}}},
		{"backward mask", false, func() error {
			return b.BackwardMask(f, dy, dy, m)
		}, []result{{backward, dy}}},
	} {
		if err := step.run(); err != nil {
			return false, fmt.Errorf("self-test: %w", err)
		}
		for _, r := range step.results {
			if err := r.buf.Read(got); err != nil {
				return false, fmt.Errorf("self-test: %w", err)
			}
			op := ops.All()[r.of]
			op.Name = step.name
			flushed, err := compareAll(op, f, got, dys, xs)
			if err != nil {
				return false, err
			}
			flushes = flushes || flushed
		}
		if step.mask {
			flushed, err := compareMask(m, f, xs)
			if err != nil {
				return false, err
			}
			flushes = flushes || flushed
		}
	}
	return flushes, nil
}

// compareMask compares m with the signs of xs.
func compareMask(m compute.Mask, f compute.Activation, xs []float32) (flushes bool, err error) {
	got := make([]uint64, (len(xs)+63)/64)
	if err := m.Read(got); err != nil {
		return false, fmt.Errorf("self-test: %w", err)
	}
	for i, x := range xs {
		bit := got[i/64] >> (i % 64) & 1
		switch {
		case bit == 1 == (x >= 0):
		case bit == 1 && values.IsSubnormal(x):
			flushes = true // a zero of any sign is >= 0
		default:
			return false, fmt.Errorf("self-test: bit %d of %d of forward mask of %v at x = %s is %d; its driver cannot be trusted: %w, %w",
				i, len(xs), f, show(x), bit, compute.ErrDevice, compute.ErrUnavailable)
		}
	}
	return flushes, nil
}

// compareAll compares got with what op should give.
func compareAll(op ops.Op, f compute.Activation, got, dys, xs []float32) (flushes bool, err error) {
	for i := range got {
		if op.Agrees(f, got[i], dys[i], xs[i], false) {
			continue
		}
		if !op.Agrees(f, got[i], dys[i], xs[i], true) {
			return false, fmt.Errorf("self-test: element %d of %d of %s of %v at x = %s, dy = %s is %s and should be %s; its driver cannot be trusted: %w, %w",
				i, len(xs), op.Name, f, show(xs[i]), show(dys[i]), show(got[i]), show(op.Want(f, dys[i], xs[i])), compute.ErrDevice, compute.ErrUnavailable)
		}
		flushes = true
	}
	return flushes, nil
}

// show returns v as a number and as bits.
func show(v float32) string { return fmt.Sprintf("%v (0x%08x)", v, math.Float32bits(v)) }
