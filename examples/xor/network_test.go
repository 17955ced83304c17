package main

import (
	"math"
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
)

// trained returns the losses and the outputs of a trained network.
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

// TestSameBits: training converges, with the same bits on the CPU and on OpenCL.
func TestSameBits(t *testing.T) {
	onCPU := trained(t, cpu.Open)
	t.Run("OpenCL", func(t *testing.T) {
		if testenv.Open(t, gpu.OpenDevice("any")).Info().FlushesSubnormals {
			t.Skip("NOT tested: the device flushes subnormals, so bits may differ")
		}
		if !slices.Equal(trained(t, gpu.OpenDevice("any")), onCPU) {
			t.Error("the losses differ from those on the CPU")
		}
	})
}
