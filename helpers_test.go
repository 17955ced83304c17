package compute_test

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
)

// onBackends runs test on the CPU, and on OpenCL if there is a device.
func onBackends(t *testing.T, test func(t *testing.T, b compute.Backend)) {
	for name, open := range map[string]compute.Opener{"cpu": cpu.Open, "opencl": gpu.OpenDevice("any")} {
		t.Run(name, func(t *testing.T) { test(t, testenv.Open(t, open)) })
	}
}
