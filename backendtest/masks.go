package backendtest

import (
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// wantMask fails the test unless m has the bits of the reference, and zeros after the last.
func wantMask(t *testing.T, b compute.Backend, fm form.Form, right *form.Reference, m compute.Mask) {
	t.Helper()
	got := slices.Repeat([]uint64{0xaaaa5555aaaa5555}, form.MaskWords(m.Len()))
	if err := m.Read(got); err != nil {
		t.Fatalf("Read of %d bits: %v", m.Len(), err)
	}
	if wrong := right.WrongBits(fm, got, b.Info().FlushesSubnormals); wrong != "" {
		t.Fatal(wrong)
	}
}

// testBadMask reads masks with wrong lengths, and after their release.
func testBadMask(t *testing.T, b compute.Backend) {
	x, short, m, gone := upload(t, b, []float32{1, -2, 3}), alloc(t, b, 2), allocMask(t, b, 3), allocMask(t, b, 3)
	defer release(t, x, short, m)
	if info := b.Info(); info.LiveBuffers != 4 || info.LiveBytes != 12+8+8+8 {
		t.Errorf("2 buffers and 2 masks count as %d with %d bytes, want 4 with 36", info.LiveBuffers, info.LiveBytes)
	}
	release(t, gone, gone)
	wantWords(t, b, "Read of too few words", m.Read(nil), compute.ErrLength, "read")
	wantWords(t, b, "Read of too many words", m.Read(make([]uint64, 2)), compute.ErrLength, "read")
	wantWords(t, b, "Read of a released mask", gone.Read(make([]uint64, 1)), compute.ErrClosed, "read")
	wantError(t, "AllocMask(-1)", errorOf(b.AllocMask(-1)), compute.ErrLength)
}

// testMaskOrder: calls with masks take effect in the order made.
func testMaskOrder(t *testing.T, b compute.Backend) {
	const n = 10007
	f := compute.LeakyReLU(-0.5)
	xs, other := values.Normal(n, 3), values.Normal(n, 4)
	x, m := upload(t, b, xs), allocMask(t, b, n)
	defer release(t, x, m)
	for _, err := range []error{
		b.ForwardMask(f, x, m, x),
		b.BackwardMask(f, x, x, m),
		x.Write(other), // the calls above do not see it
		b.ForwardMask(f, x, m, x),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	wantMask(t, b, form.ForwardMask, form.NewReference(f, other, other), m)
}
