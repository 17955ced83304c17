//go:build opencl && cgo

package gpu

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/exhaustive"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestHuge: Stream of more elements than 31 bits count, in place.
func TestHuge(t *testing.T) {
	n := exhaustive.Huge(t)
	b := testenv.Open(t, OpenDevice("any"))
	f := compute.LeakyReLU(-0.5)
	host := make([]float32, n)
	for _, fm := range form.All() {
		op, ok := fm.Op()
		if !ok {
			continue
		}
		exhaustive.Fill(host)
		if err := b.Stream(t.Context(), op, f, host, host); err != nil {
			t.Fatal(err)
		}
		exhaustive.Check(t, b.Info().Name+": stream of "+op.String(), host, func(x float32) float32 { return fm.Results()[0].Want(f, 0, x) })
	}
}
