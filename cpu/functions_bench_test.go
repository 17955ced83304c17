package cpu

import (
	"fmt"
	"testing"
	"time"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/values"
)

// BenchmarkFunctions times the kernels of functions on elements that the cache has, from a
// normal distribution with the standard deviation 2, and reports the time an element takes in the
// fastest call: others may use the processor too.
func BenchmarkFunctions(b *testing.B) {
	const n = 16 << 10
	x, y := values.Normal(n, 1), make([]float32, n)
	for i := range x {
		x[i] *= 2
	}
	for _, set := range instructionSets() {
		for op := ir.Exp; op <= ir.SoftsignPrime; op++ {
			run := set.primitives[op][0]
			if run == nil {
				continue
			}
			b.Run(fmt.Sprintf("%s/%s", set.name, op.Info().Name), func(b *testing.B) {
				a := sliceArgs(y, x)
				best := time.Hour
				for b.Loop() {
					start := time.Now()
					run(&a)
					best = min(best, time.Since(start))
				}
				b.ReportMetric(float64(best.Nanoseconds())/n, "ns/element")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}
