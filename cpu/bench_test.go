package cpu

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/turns"
	"github.com/gmind-go/compute/internal/values"
)

// BenchmarkPool times kernels, a fast and a slow one, on one core, and shared with workers
// that spin or are parked. It reports the time on one core by their cost, after a rest by
// the cost with cold data: at the crossings it is what 2*worthCore and worthWake should be.
// On one core, the first crossing is at the latest where two cores are worth it.
func BenchmarkPool(b *testing.B) {
	for _, set := range []instructionSet{instructionSets()[0], generic} {
		c := codeOf(set, form.Forward)
		known := measure(c, slope(0.01))
		for n := 1 << 10; n <= 16<<20; n *= 4 {
			a, f := sliceArgs(values.Normal(n, 2), values.Normal(n, 1)), new(frame)
			j := newJob(c, nil, &a, nil, known)
			for _, how := range []string{"alone", "shared", "rested-alone", "rested-shared"} {
				b.Run(fmt.Sprintf("%s/%s/%d", set.name, how, n), func(b *testing.B) {
					var p pool
					defer p.stop()
					var total time.Duration // stopping b's timer would take longer than a job
					start := time.Now()
					for b.Loop() {
						if strings.HasPrefix(how, "rested") { // workers are parked, caches cold
							total += time.Since(start)
							time.Sleep(2 * defaultSpin)
							start = time.Now()
						}
						if strings.HasSuffix(how, "alone") {
							j.runAlone(f, 0)
						} else {
							p.share(&j, 0, runtime.GOMAXPROCS(0), f)
						}
					}
					total += time.Since(start)
					b.ReportMetric(float64(total.Nanoseconds())/float64(b.N), "ns/op")
					estimate := j.cost
					if strings.HasPrefix(how, "rested") {
						estimate = j.cold
					}
					b.ReportMetric(float64(estimate.time(n).Nanoseconds()), "ns-by-cost")
				})
			}
		}
	}
}

// BenchmarkProcs times calls with one core and with all that GOMAXPROCS gives, in turns, and
// reports how many times as fast the latter are: never much below 1.
func BenchmarkProcs(b *testing.B) {
	all := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(all)
	backend, err := Open()
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Close()
	for n := 16; n <= 64<<20; n *= 2 {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x, err := backend.Upload(values.Normal(n, 1))
			if err != nil {
				b.Fatal(err)
			}
			y, err := backend.Upload(values.Normal(n, 2))
			if err != nil {
				b.Fatal(err)
			}
			defer x.Release()
			defer y.Release()
			calls := 1 + 4<<20/n // some milliseconds
			forward := func() error { return backend.Forward(compute.LeakyReLU(0.01), y, x) }
			with := func(procs int) *turns.Series {
				return &turns.Series{Calls: calls, Sample: func(calls int) (float64, error) {
					runtime.GOMAXPROCS(procs)
					return turns.Time(forward, calls, calls)
				}}
			}
			alone, shared := with(1), with(all)
			for b.Loop() {
				if err := turns.Round(b.Context(), []*turns.Series{alone, shared}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(alone.Median()/shared.Median(), "times-as-fast")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// BenchmarkStores times a kernel with plain and with non-temporal stores, by the bytes that a
// call moves: the crossing is what host.LastCache should be.
func BenchmarkStores(b *testing.B) {
	set := instructionSets()[0]
	if set.nonTemporal == nil {
		b.Skipf("%s has no non-temporal stores", set.name)
	}
	var p pool
	defer p.stop()
	m := newMemoryPool()
	defer m.Empty()
	for mib := 4; mib <= 256; mib *= 2 {
		n := mib << 20 / 8
		y, err := m.get(n)
		if err != nil {
			b.Fatal(err)
		}
		x, err := m.get(n)
		if err != nil {
			b.Fatal(err)
		}
		copy(x.elements, values.Normal(n, 1))
		copy(y.elements, x.elements)
		c, a := codeOf(set, form.Forward), sliceArgs(y.elements, x.elements)
		j := newJob(c, nil, &a, nil, measure(c, slope(0.01)))
		for _, stores := range []string{"plain", "non-temporal"} {
			if stores == "non-temporal" {
				j.nonTemporal = c.nonTemporal
			}
			b.Run(fmt.Sprintf("%s/%dMiB", stores, mib), func(b *testing.B) {
				b.SetBytes(8 * int64(n))
				for b.Loop() {
					p.do(&j, new(frame))
				}
			})
		}
		m.put(x)
		m.put(y)
	}
}

// BenchmarkForward times calls through the Backend interface.
func BenchmarkForward(b *testing.B) {
	backend, err := Open()
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Close()
	for _, n := range []int{16, 64, 256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20, 4 << 20, 16 << 20, 64 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x, err := backend.Upload(values.Normal(n, 1))
			if err != nil {
				b.Fatal(err)
			}
			y, err := backend.Upload(values.Normal(n, 2))
			if err != nil {
				b.Fatal(err)
			}
			defer x.Release()
			defer y.Release()
			b.SetBytes(8 * int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if err := backend.Forward(compute.LeakyReLU(0.01), y, x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkMasks times the calls with masks, and with two results, in turn with those
// that they stand for and with a copy: the medians, and the bytes that have to move.
func BenchmarkMasks(b *testing.B) {
	const n = 64 << 20
	backend := Options{}.open(instructionSets()[0])
	defer backend.Close()
	f, same := compute.LeakyReLU(0.01), compute.LeakyReLU(1) // in place, same leaves the values what they are
	var bufs [4]compute.Buffer
	for i := range bufs {
		buf, err := backend.Upload(values.Normal(n, uint64(i)))
		if err != nil {
			b.Fatal(err)
		}
		bufs[i] = buf
	}
	x, y, z, d := bufs[0], bufs[1], bufs[2], bufs[3]
	m, err := backend.AllocMask(n)
	if err != nil {
		b.Fatal(err)
	}
	// The bytes are those that the kernels have to read and to write.
	type step struct {
		name  string
		bytes float64
		run   func() error
	}
	const mask = 1. / 8
	steps := []step{
		{"copy", 8 * n, func() error { return backend.Copy(y, x) }},
		{"forward-mask", (8 + mask) * n, func() error { return backend.ForwardMask(same, d, m, d) }},
		{"backward-mask", (8 + mask) * n, func() error { return backend.BackwardMask(same, d, d, m) }},
		{"forward-mask-apart", (8 + mask) * n, func() error { return backend.ForwardMask(f, y, m, x) }},
		{"forward-derivative", 12 * n, func() error { return backend.ForwardDerivative(f, y, z, x) }},
		{"forward+derivative", 16 * n, func() error {
			return errors.Join(backend.Forward(f, y, x), backend.Derivative(f, z, x))
		}},
		{"forward", 8 * n, func() error { return backend.Forward(f, y, x) }},
		{"forward-in-place", 8 * n, func() error { return backend.Forward(same, d, d) }},
		{"backward", 12 * n, func() error { return backend.Backward(f, y, d, x) }},
	}
	var all []*turns.Series
	for _, s := range steps {
		all = append(all, turns.Of(0, s.run)...)
	}
	for b.Loop() {
		if err := turns.Round(b.Context(), all); err != nil {
			b.Fatal(err)
		}
	}
	for i, s := range steps {
		median := all[i].Median()
		b.ReportMetric(median/1e6, "ms-"+s.name)
		b.ReportMetric(s.bytes/median, "GB/s-"+s.name)
	}
	b.ReportMetric(0, "ns/op")
}
