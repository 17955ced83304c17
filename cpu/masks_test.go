package cpu

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// TestMaskShares: cores that share a job do not meet in a word of its mask, from
// wherever the rest of a job is shared.
func TestMaskShares(t *testing.T) {
	if chunk%64 != 0 || pastBlock%64 != 0 {
		t.Fatalf("chunks of %d and shares of whole %d elements cut words", chunk, pastBlock)
	}
	for _, n := range []int{3 * chunk, 2*chunk + 1, 3*chunk + 65, 300001} {
		x := values.Normal(n, 5)
		for shares := 2; shares <= 7; shares++ {
			var p pool
			got := make([]uint64, check.Words(n))
			k := generic.kernels[compute.KindLeakyReLU].forwardMask
			j := job{loop: loop{forwardMask: k}, dst: make([]float32, n), mask: got, x: x, slope: 0.5}
			j.run(0, chunk)
			rest := j.from(chunk)
			p.mu.Lock()
			p.share(&rest, shares)
			p.mu.Unlock()
			p.stop()
			for i, want := range form.Words(x) {
				if got[i] != want {
					t.Fatalf("word %d of %d elements in %d shares is %#x and should be %#x", i, n, shares, got[i], want)
				}
			}
		}
	}
}
