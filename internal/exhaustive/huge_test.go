package exhaustive

import (
	"errors"
	"sync/atomic"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// TestFill: Check and CheckSigns accept the values of Fill, of which each is another.
func TestFill(t *testing.T) {
	x := make([]float32, 1<<20+77)
	Fill(x)
	Check(t, "a copy", x, func(x float32) float32 { return x })
	CheckSigns(t, form.Words(compute.LeakyReLU(0.01), x), len(x))
	if x[0] == x[1] || x[len(x)-1] == x[len(x)-2] || x[len(x)-1] == 0 {
		t.Errorf("the values are %v, %v, ... %v, %v", x[0], x[1], x[len(x)-2], x[len(x)-1])
	}
}

// TestParts: every element is in one part, and an error is returned.
func TestParts(t *testing.T) {
	const n = 5<<20 + 1
	var sum atomic.Int64
	if err := parts(n, func(lo, hi int) error { sum.Add(int64(hi - lo)); return nil }); err != nil || sum.Load() != n {
		t.Errorf("the parts have %d elements of %d: %v", sum.Load(), n, err)
	}
	failed := errors.New("failed")
	if err := parts(n, func(lo, _ int) error {
		if lo == 0 {
			return failed
		}
		return nil
	}); !errors.Is(err, failed) {
		t.Errorf("got %v, want the error of a part", err)
	}
}
