package compute_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
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

// TestFunctions: a program with a function parses, differentiates and evaluates, and backends
// refuse it, but not one that needs the function of scalars alone.
func TestFunctions(t *testing.T) {
	silu := expr.MustParse("silu(x, beta) = x * sigmoid(beta*x)")
	for _, p := range []*expr.Program{silu, silu.Partial("x"), silu.Partial("beta"), silu.Backward("x")} {
		if p.Err() != nil {
			t.Fatal(p.Err())
		}
	}
	for _, test := range []struct {
		p    *expr.Program
		want float64
	}{
		{silu, 2 / (1 + math.Exp(-1))}, {silu.Partial("x"), 1/(1+math.Exp(-1)) + 2*0.5*math.Exp(-1)/math.Pow(1+math.Exp(-1), 2)},
	} {
		got, err := test.p.Eval(float32(2), float32(0.5))
		if err != nil || math.Abs(float64(got[0].(float32))-test.want) > 1e-6 {
			t.Errorf("%v of 2 and 0.5: %v, %v, want %v", test.p, got, err, test.want)
		}
	}
	for name, open := range programBackends {
		t.Run(name, func(t *testing.T) {
			b := testenv.Open(t, open)
			x, err := b.Upload([]float32{1, -2, 3})
			if err != nil {
				t.Fatal(err)
			}
			defer x.Release()
			v := compute.Slice{1, -2, 3}
			beta := compute.F32(0.5)
			_, prepareErr := b.Prepare(silu, x, x, beta)
			for what, err := range map[string]error{
				"run": b.Run(silu, x, x, beta), "prepare": prepareErr, "run slices": b.RunSlices(context.Background(), silu, v, v, beta),
			} {
				if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), what+" silu on "+b.Info().Name) || !strings.Contains(err.Error(), "sigmoid") {
					t.Errorf("%s: %v", what, err)
				}
			}
			scaled := expr.MustParse("scaled(x, s) = x * exp(s)")
			got, want := make([]float32, 3), float32(-2*math.E)
			if err := errors.Join(b.Run(scaled, x, x, compute.F32(1)), x.Read(got)); err != nil || math.Abs(float64(got[1]-want)) > 1e-6 {
				t.Errorf("%v with the scalar 1: %v, %v, want %v", scaled, got, err, want)
			}
		})
	}
}
