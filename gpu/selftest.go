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
