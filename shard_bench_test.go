package compute_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// BenchmarkShard compares a Shard of backends of this machine with one of them. Those on
// the same cores share what one has alone.
func BenchmarkShard(b *testing.B) {
	b.Setenv(gpu.DeviceEnv, "any")
	backends := map[string]compute.Opener{
		"cpu":            cpu.Open,
		"shard of 2 cpu": func() (compute.Backend, error) { return compute.Shard(cpus(2)...) },
		"opencl":         gpu.Open,
		"shard of opencls": func() (compute.Backend, error) {
			all, err := gpu.OpenAll()
			if len(all) == 0 {
				return nil, err
			}
			return compute.Shard(all...)
		},
		"shard of both": func() (compute.Backend, error) {
			one, err := gpu.Open()
			if err != nil {
				return nil, err
			}
			return compute.Shard(one, cpus(1)[0])
		},
	}
	for _, n := range []int{1 << 20, 16 << 20} {
		for _, name := range []string{"cpu", "shard of 2 cpu", "opencl", "shard of opencls", "shard of both"} {
			b.Run(fmt.Sprintf("%dMi/%s", n>>20, name), func(b *testing.B) {
				backend := testenv.Open(b, backends[name])
				f, v, w := compute.LeakyReLU(0.01), values.Normal(n, 1), make([]float32, n)
				x, err := backend.Upload(v)
				if err != nil {
					b.Fatal(err)
				}
				y, err := backend.Alloc(n)
				if err != nil {
					b.Fatal(err)
				}
				for _, bench := range []struct {
					what string
					call func() error
				}{
					{"forward", func() error { return errors.Join(backend.Forward(f, y, x), backend.Sync()) }},
					{"write", func() error { return x.Write(v) }},
					{"read", func() error { return y.Read(w) }},
					{"stream", func() error { return backend.Stream(context.Background(), compute.OpForward, f, w, v) }},
					{"stream in place", func() error { return backend.Stream(context.Background(), compute.OpForward, f, w, w) }},
				} {
					b.Run(bench.what, func(b *testing.B) {
						b.SetBytes(8 * int64(n))
						for b.Loop() {
							if err := bench.call(); err != nil {
								b.Fatal(err)
							}
						}
					})
				}
			})
		}
	}
}
