package randprog

import (
	"math/rand/v2"
	"testing"

	"github.com/gmind-go/compute/internal/ir"
)

// TestNew checks that random programs are well formed, that all operations occur, and that
// they are the same for the same seed.
func TestNew(t *testing.T) {
	seen := map[ir.Op]bool{}
	for seed := range uint64(2000) {
		p := New(rand.New(rand.NewPCG(seed, 0)), Options{Operations: 40})
		if err := p.Check(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if !p.Equal(New(rand.New(rand.NewPCG(seed, 0)), Options{Operations: 40})) {
			t.Fatalf("seed %d gives two programs", seed)
		}
		for _, n := range p.Nodes {
			seen[n.Op] = true
		}
	}
	for _, op := range ir.Ops() {
		if op.Info().Public() && !seen[op] {
			t.Errorf("no program has %s of %v", op.Info().Name, op.Info().In)
		}
	}
}

// TestAllowed checks that a program has no other operations than those allowed.
func TestAllowed(t *testing.T) {
	p := New(rand.New(rand.NewPCG(1, 2)), Options{Operations: 40, Allowed: func(op ir.Op) bool { return op == ir.AddF32 }})
	for _, n := range p.Nodes {
		if n.Op > ir.AddF32 {
			t.Errorf("it has %s", n.Op.Info().Name)
		}
	}
}
