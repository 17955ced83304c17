package shard_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/turns"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/shard"
)

// BenchmarkShard compares a Shard with one of its members, in turns. It reports the time of
// the Shard as a multiple of that of the member, by medians. Members on the same cores
// cannot be faster than one.
func BenchmarkShard(b *testing.B) {
	b.Setenv(gpu.DeviceEnv, "any")
	over := func(open func() ([]compute.Backend, error)) compute.Opener {
		return func() (compute.Backend, error) {
			all, err := open()
			if len(all) < 2 {
				return nil, fmt.Errorf("%d backends: %w", len(all), errors.Join(err, compute.ErrUnavailable))
			}
			return shard.New(all...)
		}
	}
	both := func() ([]compute.Backend, error) {
		one, err := gpu.Open()
		if err != nil {
			return nil, err
		}
		return []compute.Backend{one, cpus(1)[0]}, nil
	}
	for _, pair := range []struct {
		name     string
		one, all compute.Opener
	}{
		{"opencls beside opencl", gpu.Open, over(gpu.OpenAll)},
		{"opencl and cpu beside opencl", gpu.Open, over(both)},
		{"opencl and cpu beside cpu", cpu.Open, over(both)},
		{"2 cpu beside cpu", cpu.Open, over(func() ([]compute.Backend, error) { return cpus(2), nil })},
	} {
		for _, n := range []int{1 << 20, 4 << 20, 16 << 20, 64 << 20} {
			b.Run(fmt.Sprintf("%s/%dMi", pair.name, n>>20), func(b *testing.B) {
				one, all := shardCalls(b, testenv.Open(b, pair.one), n), shardCalls(b, testenv.Open(b, pair.all), n)
				for i, what := range []string{"forward", "16 times forward", "write", "read", "stream", "stream in place"} {
					b.Run(what, func(b *testing.B) { inTurns(b, one[i], all[i]) })
				}
			})
		}
	}
}

// shardCalls returns the calls to measure, on n elements.
func shardCalls(b *testing.B, backend compute.Backend, n int) []func() error {
	f, v, w := compute.LeakyReLU(0.01), values.Normal(n, 1), make([]float32, n)
	x, err := backend.Upload(v)
	if err != nil {
		b.Fatal(err)
	}
	y, err := backend.Alloc(n)
	if err != nil {
		b.Fatal(err)
	}
	forward := func(times int) error {
		for range times {
			if err := backend.Forward(f, y, x); err != nil {
				return err
			}
		}
		return backend.Sync()
	}
	return []func() error{
		func() error { return forward(1) },
		func() error { return forward(16) },
		func() error { return x.Write(v) },
		func() error { return y.Read(w) },
		func() error { return backend.Stream(context.Background(), compute.OpForward, f, w, v) },
		func() error { return backend.Stream(context.Background(), compute.OpForward, f, w, w) },
	}
}

// inTurns reports the time of one, and that of all as a multiple of it. Each call finds the
// caches and threads as the other backend left them.
func inTurns(b *testing.B, one, all func() error) {
	both := turns.Of(1, one, all)
	for b.Loop() {
		if err := turns.Round(b.Context(), both); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(0, "ns/op") // of both, which is left out
	b.ReportMetric(both[0].Median()/1e3, "µs-alone")
	b.ReportMetric(both[1].Median()/both[0].Median(), "slower")
}
