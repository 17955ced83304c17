package gpu

import (
	"context"
	"fmt"
	"slices"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// selfTest computes special values on b and compares them with the reference.
// Its error names the first wrong one and wraps compute.ErrUnavailable, since the
// device is not to be used, and compute.ErrDevice. A device that does nothing but
// replace subnormals by zero passes, and flushes is true.
func selfTest(b compute.Backend) (flushes bool, err error) {
	special := values.Special()
	// Many work-groups, with a rest for the end of the kernels that does elements
	// one by one.
	long := slices.Repeat(special, 200)
	for _, f := range form.Fused() {
		if f.Kind != compute.KindLeakyReLU {
			continue // the device compiles others when they are first used, and compares them then
		}
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
	return verdict(func(flushes bool) string { return form.Forward.Wrong(form.Y, f, got, xs, xs, flushes) })
}

// testValues is selfTest for every form of one activation on one input.
func testValues(b compute.Backend, f compute.Activation, xs []float32) (flushes bool, err error) {
	dys := make([]float32, len(xs))
	for i := range dys {
		dys[i] = xs[(i*5+3)%len(xs)]
	}
	var bufs [3]compute.Buffer
	for i, v := range [][]float32{xs, dys, dys} {
		if bufs[i], err = b.Upload(v); err != nil {
			return false, fmt.Errorf("self-test: %w", err)
		}
		defer bufs[i].Release()
	}
	x, dy, dst := bufs[0], bufs[1], bufs[2]
	m, err := b.AllocMask(len(xs))
	if err != nil {
		return false, fmt.Errorf("self-test: %w", err)
	}
	defer m.Release()
	// The mask starts with other bits, which must not stay.
	if err := b.ForwardMask(f, dst, m, dy); err != nil {
		return false, fmt.Errorf("self-test: %w", err)
	}
	right := form.NewReference(f, dys, xs)
	args := form.Args{X: x, DY: dy, Y: dst, D: dst, DX: dst, M: m}
	for _, fm := range form.All() {
		// In the forms that Stream has too, the operands are apart; in the others, the first
		// input is replaced.
		var place form.Place
		if _, streams := fm.Op(); !streams {
			place = fm.Places()[1]
		}
		call := place.In(args)
		if err := fm.Run(b, f, call); err != nil {
			return false, fmt.Errorf("self-test: %w", err)
		}
		for _, o := range fm.Results() {
			flushed, err := testResult(fm, o, right, call, len(xs))
			if err != nil {
				return false, err
			}
			flushes = flushes || flushed
		}
		if place != (form.Place{}) {
			input := map[form.Operand][]float32{form.X: xs, form.DY: dys}[place.Input]
			if err := (*args.Buffer(place.Input)).Write(input); err != nil {
				return false, fmt.Errorf("self-test: %w", err)
			}
		}
	}
	return flushes, nil
}

// testResult compares the result o of fm, of n elements, with the reference.
func testResult(fm form.Form, o form.Operand, right *form.Reference, call form.Args, n int) (flushes bool, err error) {
	if o == form.M {
		got := make([]uint64, form.MaskWords(n))
		if err := call.M.Read(got); err != nil {
			return false, fmt.Errorf("self-test: %w", err)
		}
		return verdict(func(flushes bool) string { return right.WrongBits(fm, got, flushes) })
	}
	got := make([]float32, n)
	if err := (*call.Buffer(o)).Read(got); err != nil {
		return false, fmt.Errorf("self-test: %w", err)
	}
	return verdict(func(flushes bool) string { return right.Wrong(fm, o, got, flushes) })
}

// verdict reports whether results are right only for a device that flushes subnormals, or
// returns an error that describes the first one that is wrong even so.
func verdict(wrong func(flushes bool) string) (flushes bool, err error) {
	if wrong(false) == "" {
		return false, nil
	}
	if what := wrong(true); what != "" {
		return false, fmt.Errorf("self-test: %s; its driver cannot be trusted: %w, %w", what, compute.ErrDevice, compute.ErrUnavailable)
	}
	return true, nil
}
