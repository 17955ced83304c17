package main

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func trained(t *testing.T, open compute.Opener) []float32 {
	t.Helper()
	n, losses, err := train(testenv.Open(t, open), 2000, func(float32) {})
	if err != nil {
		t.Fatal(err)
	}
	if err := n.forward(); err != nil {
		t.Fatal(err)
	}
	for i, out := range n.out.Data {
		if math.Abs(float64(out-wanted[i])) > 0.01 {
			t.Errorf("input %d gives %v, want %v", i, out, wanted[i])
		}
	}
	return append(losses, n.out.Data...)
}

// TestSameBits: it converges, by the same bits on the CPU and on OpenCL.
func TestSameBits(t *testing.T) {
	onCPU := trained(t, cpu.Open)
	t.Run("OpenCL", func(t *testing.T) {
		if testenv.Open(t, gpu.OpenDevice("any")).Info().FlushesSubnormals {
			t.Skip("NOT tested: the device flushes subnormals, so bits may differ")
		}
		if !slices.Equal(trained(t, gpu.OpenDevice("any")), onCPU) {
			t.Error("the losses are others than on the CPU")
		}
	})
}

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "loss.svg")
	if err := run(testenv.Open(t, cpu.Open), 100, file); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() < 1000 {
		t.Errorf("no plot: %v", err)
	}
}
