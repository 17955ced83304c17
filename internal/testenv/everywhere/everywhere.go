// Package everywhere runs a test on backends of every kind.
package everywhere

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/shard"
)

// Run runs test, which compares bits, in subtests of t: on the CPU, on a Shard of two CPU
// backends, and on an OpenCL device. Without one, or if it flushes subnormals, that is skipped.
func Run(t *testing.T, test func(t *testing.T, b compute.Backend)) {
	for _, backend := range []struct {
		name string
		open compute.Opener
	}{{"cpu", cpu.Open}, {"shard", two}, {"opencl", gpu.OpenDevice("any")}} {
		t.Run(backend.name, func(t *testing.T) {
			b := testenv.Open(t, backend.open)
			if b.Info().FlushesSubnormals {
				t.Skip("NOT tested: the device flushes subnormals, so bits may differ")
			}
			test(t, b)
		})
	}
}

// two returns a Shard of two CPU backends, which splits every buffer.
func two() (compute.Backend, error) {
	var members []compute.Backend
	for range 2 {
		b, err := cpu.Open()
		if err != nil {
			return nil, err
		}
		members = append(members, b)
	}
	return shard.Weighted([]float64{1, 2}, members...)
}
