package cpu

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/internal/exhaustive"
)

// TestHuge: more elements than 31 bits count, in place: all operations but the one
// that needs a second buffer, and Stream.
func TestHuge(t *testing.T) {
	n := exhaustive.Huge(t)
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	x, err := b.Alloc(n)
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.AllocMask(n)
	if err != nil {
		t.Fatal(err)
	}
	f := compute.LeakyReLU(-0.5)
	backward := func(x float32) float32 { return x * f.Derivative(x) } // dy is x too
	data := x.(*buffer).data                                           // used in place while nothing else is at work
	for _, step := range []struct {
		name string
		run  func() error
		want func(x float32) float32
	}{
		{"forward", func() error { return b.Forward(f, x, x) }, f.Value},
		{"derivative", func() error { return b.Derivative(f, x, x) }, f.Derivative},
		{"backward", func() error { return b.Backward(f, x, x, x) }, backward},
		{"forward mask", func() error { return b.ForwardMask(f, x, m, x) }, f.Value},
		{"backward mask", func() error { return b.BackwardMask(f, x, x, m) }, backward},
		{"stream of forward", func() error { return b.Stream(t.Context(), compute.OpForward, f, data, data) }, f.Value},
	} {
		exhaustive.Fill(data)
		if err := step.run(); err != nil {
			t.Fatal(err)
		}
		exhaustive.Check(t, b.Info().Name+": "+step.name, data, step.want)
	}
	words := make([]uint64, check.Words(n))
	if err := m.Read(words); err != nil {
		t.Fatal(err)
	}
	exhaustive.CheckSigns(t, words, n)
}
