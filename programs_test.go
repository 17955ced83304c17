package compute_test

import (
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/progtest"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/shard"
)

// shardOf returns an opener of a Shard of the backends, with the weights 1, 2 and so on.
func shardOf(open ...compute.Opener) compute.Opener {
	return func() (compute.Backend, error) {
		var members []compute.Backend
		var weights []float64
		for _, o := range open {
			b, err := o()
			if err != nil {
				for _, m := range members {
					m.Close()
				}
				return nil, err
			}
			members, weights = append(members, b), append(weights, float64(1+len(weights)))
		}
		return shard.Weighted(weights, members...)
	}
}

// programBackends are the backends that run the programs of users with equal bits: those of the
// reference.
var programBackends = map[string]compute.Opener{
	"cpu": cpu.Open, "shard": shardOf(cpu.Open, cpu.Open),
	"opencl": gpu.OpenDevice("any"), "shard with opencl": shardOf(gpu.OpenDevice("any"), cpu.Open),
}

// TestPrograms runs programs that users write, apart and in place, in all ways.
func TestPrograms(t *testing.T) {
	for name, open := range programBackends {
		t.Run(name, func(t *testing.T) {
			b := testenv.Open(t, open)
			run := progtest.NewRunner(b)
			for _, n := range []int{0, 1, 63, 64, 200, 1000, 1023, 4098, 70_000} {
				for _, c := range progtest.Named(n) {
					if err := run.All(c); err != nil {
						t.Errorf("%v\n%v", err, c)
					}
				}
			}
			if err := run.Release(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRandomPrograms runs random programs on OpenCL, as many as COMPUTE_PROGRAMS says. Package cpu
// has the same test for instruction sets.
func TestRandomPrograms(t *testing.T) {
	count, err := progtest.Count(100)
	if err != nil {
		t.Fatal(err)
	}
	const batch = 11 // in one call, with 16 buffers at most
	b := testenv.Open(t, gpu.OpenDevice("any"))
	if err := progtest.Many(count, batch, b); err != nil {
		t.Fatal(err)
	}
	t.Logf("%d random programs are right on %s", count, b.Info().Name)
}

// TestFunctions: every function, alone and in expressions, has the bits of the reference, and so
// have its derivative and the gradient.
func TestFunctions(t *testing.T) {
	const n = 1037
	for name, open := range programBackends {
		t.Run(name, func(t *testing.T) {
			b := testenv.Open(t, open)
			run := progtest.NewRunner(b)
			for i, c := range progtest.Functions(n) {
				if strings.Contains(name, "opencl") && i%9 != 0 { // package gpu has all of them
					continue
				}
				if err := run.All(c); err != nil {
					t.Errorf("%v\n%v", err, c)
				}
			}
			if err := run.Release(); err != nil {
				t.Error(err)
			}
		})
	}
}
