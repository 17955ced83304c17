//go:build opencl && cgo

package gpu

import (
	"slices"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// BenchmarkOpen opens a device, and calls every form of every function for the first time. It
// reports what the self-test at opening takes, and the first call of a form, at the median and at most.
func BenchmarkOpen(b *testing.B) {
	var tests, firsts []time.Duration
	for b.Loop() {
		d, err := OpenDevice("any")()
		if err != nil {
			b.Skip(err)
		}
		b.StopTimer()
		start := time.Now()
		if _, err := selfTest(d); err != nil {
			b.Fatal(err)
		}
		tests = append(tests, time.Since(start))
		firsts = append(firsts, firstCalls(b, d)...)
		if err := d.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
	slices.Sort(tests)
	slices.Sort(firsts)
	b.ReportMetric(tests[len(tests)/2].Seconds()*1e3, "ms-self-test")
	b.ReportMetric(firsts[len(firsts)/2].Seconds()*1e3, "ms-first-call")
	b.ReportMetric(firsts[len(firsts)-1].Seconds()*1e3, "ms-slowest-first-call")
}

// firstCalls returns the times of the first calls of every form of every function.
func firstCalls(b *testing.B, d compute.Backend) (times []time.Duration) {
	x, err := d.Upload(values.Normal(100, 1))
	if err != nil {
		b.Fatal(err)
	}
	y, err := d.Alloc(100)
	if err != nil {
		b.Fatal(err)
	}
	slope, err := d.Alloc(100)
	if err != nil {
		b.Fatal(err)
	}
	m, err := d.AllocMask(100)
	if err != nil {
		b.Fatal(err)
	}
	kind := compute.KindLeakyReLU // which is compiled
	for _, f := range form.Family() {
		if f.Kind == kind {
			continue // with other parameters
		}
		kind = f.Kind
		for _, fm := range form.AllOf(f) {
			start := time.Now()
			if err := fm.Run(d, f, form.Args{X: x, DY: x, Y: y, D: slope, DX: y, M: m}); err != nil {
				b.Fatal(err)
			}
			times = append(times, time.Since(start))
		}
	}
	for _, r := range []interface{ Release() error }{x, y, slope, m} {
		if err := r.Release(); err != nil {
			b.Fatal(err)
		}
	}
	return times
}
