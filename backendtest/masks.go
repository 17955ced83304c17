package backendtest

import (
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
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

// wantMask fails the test unless m has the bits of xs, and zeros behind them.
func wantMask(t *testing.T, b compute.Backend, fm form.Form, f compute.Activation, m compute.Mask, xs []float32) {
	t.Helper()
	got := slices.Repeat([]uint64{0xaaaa5555aaaa5555}, form.MaskWords(len(xs)))
	if err := m.Read(got); err != nil {
		t.Fatalf("Read of %d bits: %v", m.Len(), err)
	}
	if wrong := fm.WrongBits(f, got, xs, b.Info().FlushesSubnormals); wrong != "" {
		t.Fatal(wrong)
	}
}

// testBadMask reads masks as they cannot be read.
func testBadMask(t *testing.T, b compute.Backend) {
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
	for _, test := range []struct {
		what string
		err  error
		want error
	}{
		{"Read of too few words", m.Read(nil), compute.ErrLength},
		{"Read of too many words", m.Read(make([]uint64, 2)), compute.ErrLength},
		{"Read of a released mask", gone.Read(make([]uint64, 1)), compute.ErrClosed},
	} {
		wantError(t, test.what, test.err, test.want)
		wantNames(t, b, "read", test.err)
	}
	_, err := b.AllocMask(-1)
	wantError(t, "AllocMask(-1)", err, compute.ErrLength)
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
	wantMask(t, b, form.ForwardMask, f, m, other)
}
