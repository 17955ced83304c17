package cpu

import (
	"fmt"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/turns"
	"github.com/gmind-go/compute/internal/values"
)

// chain is a program of ten cheap operations.
var chain = expr.MustParse(`func chain(x, a, b float32) (y float32) {
	t := x * a
	t = t + b
	t = fma(t, a, x)
	t = abs(t)
	t = max(t, a)
	t = where(t < b, t, x)
	t = t * t
	t = t - a
	t = fma(t, b, a)
	y = t * b
	return
}`)

// BenchmarkChain times a program of ten cheap operations in turn with copies, and reports how
// many times as long it takes, from one buffer to another and in place.
func BenchmarkChain(b *testing.B) {
	for _, set := range instructionSets() {
		for _, n := range []int{16, 4 << 10, 1 << 20, 64 << 20} {
			b.Run(fmt.Sprintf("%s/%d", set.name, n), func(b *testing.B) {
				backend := Options{}.open(set)
				defer backend.Close()
				var bufs [3]compute.Buffer
				for i := range bufs {
					bufs[i] = mustUpload(b, backend, values.Normal(n, uint64(i)))
				}
				prepare := func(y, x compute.Buffer) func() error {
					call, err := backend.Prepare(chain, y, x, compute.F32(0.75), compute.F32(0.5))
					if err != nil {
						b.Fatal(err)
					}
					return call.Run
				}
				steps := []func() error{
					func() error { return backend.Copy(bufs[1], bufs[0]) },
					prepare(bufs[1], bufs[0]),
					prepare(bufs[2], bufs[2]),
				}
				var all []*turns.Series
				for _, run := range steps {
					calls := 1 + 1<<18/n
					all = append(all, &turns.Series{Calls: calls, Sample: func(calls int) (float64, error) {
						return turns.Time(run, calls, calls)
					}})
				}
				for b.Loop() {
					if err := turns.Round(b.Context(), all); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(all[1].Median()/all[0].Median(), "copies-apart")
				b.ReportMetric(all[2].Median()/all[0].Median(), "copies-in-place")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
