package cpu

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/turns"
	"github.com/gmind-go/compute/internal/values"
)

// BenchmarkCalls times a call of Forward, the Run of a Call that Prepare returned, and Run, of
// the same program on the same buffers, in turns. It reports the shortest times, which other
// work on the machine does not change, and by how much the others exceed Forward: a prepared
// call by 15 ns at most.
func BenchmarkCalls(b *testing.B) {
	backend, err := Open()
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Close()
	const slope = 0.01
	p := function.Of(int(compute.KindLeakyReLU)).Program(function.Forward)
	for _, n := range []int{16, 1 << 10} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var bufs [2]compute.Buffer
			for i := range bufs {
				if bufs[i], err = backend.Upload(values.Normal(n, uint64(1+i))); err != nil {
					b.Fatal(err)
				}
				defer bufs[i].Release()
			}
			y, x := bufs[0], bufs[1]
			prepared, err := backend.Prepare(p, y, x, compute.F32(slope))
			if err != nil {
				b.Fatal(err)
			}
			list := turns.Of(1000,
				func() error { return backend.Forward(compute.LeakyReLU(slope), y, x) },
				prepared.Run,
				func() error { return backend.Run(p, y, x, compute.F32(slope)) },
			)
			for _, s := range list {
				s.Calls = 10_000
			}
			for b.Loop() {
				if err := turns.Round(b.Context(), list); err != nil {
					b.Fatal(err)
				}
			}
			forward := slices.Min(list[0].NS)
			for i, name := range []string{"forward", "prepared", "run"} {
				ns := slices.Min(list[i].NS)
				b.ReportMetric(ns, "ns-"+name)
				if i > 0 {
					b.ReportMetric(ns-forward, "ns-more-"+name)
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
