package backendtest

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/ops"
	"github.com/gmind-go/compute/internal/values"
)

func allocMask(t *testing.T, b compute.Backend, n int) compute.Mask {
	t.Helper()
	m, err := b.AllocMask(n)
	if err != nil {
		t.Fatalf("AllocMask(%d): %v", n, err)
	}
	if m.Len() != n {
		t.Fatalf("AllocMask(%d) has Len %d", n, m.Len())
	}
	return m
}

// words returns the words of a mask that is true where right says so.
func words(n int, right func(i int) bool) []uint64 {
	w := make([]uint64, (n+63)/64)
	for i := range n {
		if right(i) {
			w[i/64] |= 1 << (i % 64)
		}
	}
	return w
}

// wantMask fails the test unless m has the signs of xs, and zeros behind them.
func wantMask(t *testing.T, m compute.Mask, xs []float32) {
	t.Helper()
	got := make([]uint64, (len(xs)+63)/64)
	for i := range got {
		got[i] = 0xaaaa5555aaaa5555
	}
	if err := m.Read(got); err != nil {
		t.Fatalf("Read of %d bits: %v", m.Len(), err)
	}
	for i, want := range words(len(xs), func(i int) bool { return xs[i] >= 0 }) {
		if got[i] != want {
			t.Fatalf("word %d of the mask of %d elements is %#x and should be %#x", i, len(xs), got[i], want)
		}
	}
}

// testMasks: ForwardMask and BackwardMask are Forward, the signs of x, and Backward,
// apart and in place, whatever was in the mask's memory before.
func testMasks(t *testing.T, b compute.Backend) {
	info, all := b.Info(), ops.All()
	forward, backward := all[compute.OpForward], all[2]
	for i, n := range lengths() {
		f := ops.Activations()[i%len(ops.Activations())]
		xs, dys := mixed(n, uint64(i)), mixed(n, uint64(i+1))
		x, dy, y, dx, m := upload(t, b, xs), upload(t, b, dys), alloc(t, b, n), alloc(t, b, n), allocMask(t, b, n)
		steps := func(what string, y, dx compute.Buffer) {
			t.Helper()
			if err := b.ForwardMask(f, y, m, x); err != nil {
				t.Fatalf("ForwardMask of %d elements, %s: %v", n, what, err)
			}
			compare(t, info, forward, f, read(t, y), xs, xs)
			wantMask(t, m, xs)
			if err := b.BackwardMask(f, dx, dy, m); err != nil {
				t.Fatalf("BackwardMask of %d elements, %s: %v", n, what, err)
			}
			compare(t, info, backward, f, read(t, dx), dys, xs)
		}
		steps("apart", y, dx)
		steps("in place", x, dy)
		release(t, x, dy, y, dx)
		if err := m.Release(); err != nil {
			t.Fatal(err)
		}
	}
}

// testForwardDerivative: both results are those of the two calls.
func testForwardDerivative(t *testing.T, b compute.Backend) {
	info, all := b.Info(), ops.All()
	for i, n := range lengths() {
		f := ops.Activations()[i%len(ops.Activations())]
		xs := mixed(n, uint64(i))
		x, y, d := upload(t, b, xs), alloc(t, b, n), alloc(t, b, n)
		for _, to := range []struct {
			what string
			y, d compute.Buffer
		}{{"apart", y, d}, {"y over x", x, d}, {"d over x", y, x}} {
			if err := x.Write(xs); err != nil {
				t.Fatal(err)
			}
			if err := b.ForwardDerivative(f, to.y, to.d, x); err != nil {
				t.Fatalf("ForwardDerivative of %d elements, %s: %v", n, to.what, err)
			}
			compare(t, info, all[compute.OpForward], f, read(t, to.y), xs, xs)
			compare(t, info, all[compute.OpDerivative], f, read(t, to.d), xs, xs)
		}
		release(t, x, y, d)
	}
}

// testBadMask uses masks, and results, that cannot be.
func testBadMask(t *testing.T, b compute.Backend) {
	f := compute.LeakyReLU(0.01)
	x, short, m, gone := upload(t, b, []float32{1, -2, 3}), alloc(t, b, 2), allocMask(t, b, 3), allocMask(t, b, 3)
	defer release(t, x, short)
	defer m.Release()
	if info := b.Info(); info.LiveBuffers != 4 || info.LiveBytes != 12+8+8+8 {
		t.Errorf("2 buffers and 2 masks count as %d with %d bytes, want 4 with 36", info.LiveBuffers, info.LiveBytes)
	}
	for range 2 {
		if err := gone.Release(); err != nil {
			t.Errorf("Release of a mask: %v", err)
		}
	}
	none := compute.Activation{}
	for _, test := range []struct {
		what  string
		err   error
		want  error
		names string
	}{
		{"a released mask", b.ForwardMask(f, x, gone, x), compute.ErrClosed, "forward mask"},
		{"a released mask", b.BackwardMask(f, x, x, gone), compute.ErrClosed, "backward mask"},
		{"no mask", b.ForwardMask(f, x, nil, x), compute.ErrForeignBuffer, "forward mask"},
		{"no mask", b.BackwardMask(f, x, x, nil), compute.ErrForeignBuffer, "backward mask"},
		{"no buffer", b.ForwardMask(f, nil, m, x), compute.ErrForeignBuffer, "forward mask"},
		{"no buffer", b.BackwardMask(f, x, nil, m), compute.ErrForeignBuffer, "backward mask"},
		{"no buffer", b.ForwardDerivative(f, x, nil, x), compute.ErrForeignBuffer, "forward derivative"},
		{"lengths", b.ForwardMask(f, short, m, short), compute.ErrLength, "forward mask"},
		{"lengths", b.ForwardMask(f, short, m, x), compute.ErrLength, "forward mask"},
		{"lengths", b.BackwardMask(f, short, short, m), compute.ErrLength, "backward mask"},
		{"lengths", b.ForwardDerivative(f, short, x, x), compute.ErrLength, "forward derivative"},
		{"no activation", b.ForwardMask(none, x, m, x), compute.ErrActivation, "forward mask"},
		{"no activation", b.BackwardMask(none, x, x, m), compute.ErrActivation, "backward mask"},
		{"no activation", b.ForwardDerivative(none, x, short, x), compute.ErrActivation, "forward derivative"},
		{"one buffer for both", b.ForwardDerivative(f, x, x, x), compute.ErrOverlap, "forward derivative"},
		{"Read of too few words", m.Read(nil), compute.ErrLength, "read"},
		{"Read of too many words", m.Read(make([]uint64, 2)), compute.ErrLength, "read"},
		{"Read of a released mask", gone.Read(make([]uint64, 1)), compute.ErrClosed, "read"},
	} {
		wantError(t, test.names+" with "+test.what, test.err, test.want)
		wantNames(t, b, test.names, test.err)
	}
	_, err := b.AllocMask(-1)
	wantError(t, "AllocMask(-1)", err, compute.ErrLength)
	same(t, "x after refused calls", read(t, x), []float32{1, -2, 3})
}

// testMaskOrder: calls with masks take effect in the order made.
func testMaskOrder(t *testing.T, b compute.Backend) {
	const n = 10007
	f := compute.LeakyReLU(-0.5)
	xs, other := values.Normal(n, 3), values.Normal(n, 4)
	x, m := upload(t, b, xs), allocMask(t, b, n)
	defer release(t, x)
	defer m.Release()
	for _, err := range []error{
		b.ForwardMask(f, x, m, x),
		b.BackwardMask(f, x, x, m),
		x.Write(other), // must not reach the kernels above
		b.ForwardMask(f, x, m, x),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	wantMask(t, m, other)
}
