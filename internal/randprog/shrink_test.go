package randprog

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gmind-go/compute/internal/ir"
)

// TestShrink shrinks programs that have a square root to nothing but that.
func TestShrink(t *testing.T) {
	fails := func(p *ir.Program) bool {
		return slices.ContainsFunc(p.Nodes, func(n ir.Node) bool { return n.Op == ir.Sqrt })
	}
	shrunk := 0
	for seed := range uint64(500) {
		p := New(rand.New(rand.NewPCG(seed, 0)), Options{Operations: 40})
		if !fails(p) {
			continue
		}
		shrunk++
		if err := Shrink(p, fails).Check(); err != nil {
			t.Fatal(err)
		}
		if n := Shrink(p, fails).Size(); n > 3 { // such as where(sqrt(0) < 0, u, v)
			t.Errorf("seed %d: %d operations are left of %d", seed, n, p.Size())
		}
	}
	if shrunk == 0 {
		t.Error("no program has a square root")
	}
}
