package cpu

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/exhaustive"
	"github.com/gmind-go/compute/internal/form"
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
	data := driver.MemoryOf(x).(*memory).elements // used in place while nothing else is at work
	try := func(name string, o form.Operand, run func() error) {
		exhaustive.Fill(data)
		if err := run(); err != nil {
			t.Fatal(err)
		}
		exhaustive.Check(t, b.Info().Name+": "+name, data, func(x float32) float32 { return o.Want(f, x, x) })
	}
	for _, fm := range form.All() {
		if fm.InOne() {
			try(fm.String(), fm.Results()[0], func() error { return fm.Run(b, f, form.Over(x, m)) })
		}
	}
	try("stream of forward", form.Y, func() error { return b.Stream(t.Context(), compute.OpForward, f, data, data) })
	words := make([]uint64, form.MaskWords(n))
	if err := m.Read(words); err != nil {
		t.Fatal(err)
	}
	exhaustive.CheckSigns(t, words, n)
}
