//go:build opencl && cgo

package gpu

import (
	"errors"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestPeak: a device computes what it is asked for, and leaves nothing.
func TestPeak(t *testing.T) {
	b, err := OpenDevice("any")()
	if errors.Is(err, compute.ErrUnavailable) {
		testenv.Lacking(t, "OpenCL: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	p, _ := compute.As[form.Peaker](b)
	first, err := p.Peak()
	if err != nil || first <= 0 {
		t.Errorf("%v operations, %v", first, err)
	}
	if again, err := p.Peak(); err != nil || again != first {
		t.Errorf("%v operations, and %v before, %v", again, first, err)
	}
	if info := b.Info(); info.LiveBuffers != 0 {
		t.Errorf("%d live buffers", info.LiveBuffers)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	if _, err := p.Peak(); !errors.Is(err, compute.ErrClosed) {
		t.Errorf("closed: %v, want ErrClosed", err)
	}
}
