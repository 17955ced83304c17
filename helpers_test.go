package compute_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// onBackends runs test on the CPU, and on OpenCL if there is a device.
func onBackends(t *testing.T, test func(t *testing.T, b compute.Backend)) {
	for name, open := range map[string]compute.Opener{"cpu": cpu.Open, "opencl": gpu.OpenDevice("any")} {
		t.Run(name, func(t *testing.T) { test(t, testenv.Open(t, open)) })
	}
}

// want returns the n results of op.
func want(n int, op func(i int) float32) []float32 {
	w := make([]float32, n)
	for i := range w {
		w[i] = op(i)
	}
	return w
}

// equal fails the test unless got, returned with err, has the values of want.
func equal(t *testing.T, what string, got, want []float32, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if !slices.EqualFunc(got, want, values.Same) {
		t.Fatalf("%s of %d elements is wrong: %.60v, want %.60v", what, len(want), fmt.Sprint(got), fmt.Sprint(want))
	}
}
