//go:build linux

package compute_test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/play"
	"github.com/gmind-go/compute/internal/testenv"
)

// soakEnv is the number of operations of TestSoak; make soak sets a million.
const soakEnv = "SOAK"

// TestSoak: all operations, right and wrong ones, on buffers that are made and released, do
// not leak: the resident size of the process does not grow.
func TestSoak(t *testing.T) {
	operations := 20_000
	if text := os.Getenv(soakEnv); text != "" {
		var err error
		if operations, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", soakEnv, err)
		}
	}
	for name, open := range map[string]compute.Opener{"cpu": cpu.Open, "opencl": gpu.OpenDevice("any")} {
		t.Run(name, func(t *testing.T) { soak(t, operations, testenv.Open(t, open), testenv.Open(t, open)) })
	}
}

func soak(t *testing.T, operations int, b, other compute.Backend) {
	s, err := play.NewSession(b, other)
	if err != nil {
		t.Fatal(err)
	}
	defer s.End()
	p := s.Player()
	random := rand.NewChaCha8([32]byte{2})
	script := make([]byte, 4096)
	// resident plays until the player has done that many operations in all, releases all
	// buffers, and returns the resident size.
	resident := func(operations int) int64 {
		for p.Operations < operations {
			random.Read(script)
			if err := p.Play(script); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Release(); err != nil {
			t.Fatal(err)
		}
		if err := s.Balance(); err != nil {
			t.Fatal(err)
		}
		compute.Trim(b)
		return testenv.Resident(t)
	}
	before := resident(operations / 4) // fills pools and caches
	after := resident(operations)
	t.Logf("%s: %d operations, %d right elements: %.1f MB resident after a quarter of them, %.1f MB at the end", s.Name(), p.Operations, p.Elements, float64(before)/1e6, float64(after)/1e6)
	const most = 4 << 20
	count := operations - operations/4
	if after-before > most {
		// A process that ran other tests before may keep memory for what is used late. That ends,
		// and a leak goes on.
		before, after, count = after, resident(2*operations), operations
	}
	if after-before > most {
		t.Errorf("the process grew by %d bytes in the last %d operations", after-before, count)
	}
}
