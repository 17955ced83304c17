package progtest_test

import (
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/progtest"
)

// TestRandom runs random programs on the CPU, and checks that all addresses occur, and results
// in place.
func TestRandom(t *testing.T) {
	b, _ := cpu.Open()
	defer b.Close()
	run := progtest.NewRunner(b)
	var addresses [kernel.Scalar + 1]int
	over := 0
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 0))
		c := progtest.New(r, progtest.Random(r, 20), r.IntN(200))
		for _, a := range c.Args {
			addresses[a.Address]++
		}
		for _, o := range c.Over {
			if o >= 0 {
				over++
			}
		}
		if err := run.All(c); err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, c)
		}
	}
	for a, n := range addresses {
		if n == 0 {
			t.Errorf("no argument has the address %d", a)
		}
	}
	if over == 0 {
		t.Error("no result is in place")
	}
	if err := errors.Join(run.Release()); err != nil || b.Info().LiveBuffers != 0 {
		t.Errorf("%v, and %d buffers are left", err, b.Info().LiveBuffers)
	}
}

// TestBatch runs random programs in batches.
func TestBatch(t *testing.T) {
	b, _ := cpu.Open()
	defer b.Close()
	if err := progtest.Many(300, 11, b); err != nil {
		t.Error(err)
	}
	if live := b.Info().LiveBuffers; live != 0 {
		t.Errorf("%d buffers are left", live)
	}
}
