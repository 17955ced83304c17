package compute_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// BenchmarkLayer compares a Layer on slices with Stream and RunSlices, in turns.
func BenchmarkLayer(b *testing.B) {
	device := testenv.Open(b, cpu.Open)
	f := compute.LeakyReLU(0.01)
	backward := function.Of(int(f.Kind)).Program(function.Backward)
	l := compute.NewLayer(device, f)
	bits := compute.NewLayer(device, f)
	bits.KeepBits()
	defer l.Release()
	defer bits.Release()
	for _, n := range []int{64 << 10, 1 << 20, 16 << 20} {
		x, dy := values.Normal(n, 1), values.Normal(n, 2)
		y, dx := slices.Clone(x), slices.Clone(dy) // in memory that was touched
		if err := errors.Join(l.Remember(x), bits.ForwardInto(y, x)); err != nil {
			b.Fatal(err)
		}
		for _, c := range []struct {
			name string
			call func() error
		}{
			{"Stream", func() error { return device.Stream(b.Context(), compute.OpForward, f, y, x) }},
			{"ForwardInto", func() error { return l.ForwardInto(y, x) }},
			{"ForwardInto with KeepBits", func() error { return bits.ForwardInto(y, x) }},
			{"Stream in place", func() error { return device.Stream(b.Context(), compute.OpForward, f, y, y) }},
			{"ForwardInto its input", func() error { return l.ForwardInto(y, y) }},
			{"ForwardInto its input with KeepBits", func() error { return bits.ForwardInto(y, y) }},
			{"RunSlices of the backward", func() error {
				return device.RunSlices(b.Context(), backward, compute.Slice(dx), compute.Slice(dy), compute.Slice(x), compute.F32(0.01))
			}},
			{"BackwardInto", func() error { return l.BackwardInto(dx, dy) }},
			{"BackwardInto dy", func() error { return l.BackwardInto(dy, dy) }},
			{"BackwardInto dy with KeepBits", func() error { return bits.BackwardInto(dy, dy) }},
		} {
			b.Run(fmt.Sprintf("%d/%s", n, c.name), func(b *testing.B) {
				for b.Loop() {
					if err := c.call(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
