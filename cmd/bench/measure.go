package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/ops"
	"github.com/gmind-go/compute/internal/values"
)

func opNames() []string {
	var names []string
	for _, op := range ops.All() {
		names = append(names, op.Name)
	}
	return names
}

// measure times and verifies the operations of c on b, at every size.
func measure(b compute.Backend, c config, in *input, r *report) error {
	sizes := c.sizes
	if in.npy != nil {
		sizes = []int{len(in.x)}
	}
	for _, n := range sizes {
		err := measureSize(b, c, in, n, r)
		if errors.Is(err, compute.ErrOutOfMemory) && !c.sizesAsked {
			r.note("%s: %s elements not measured: %s", b.Info().Name, count(n), oneLine(err))
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func measureSize(b compute.Backend, c config, in *input, n int, r *report) (err error) {
	xs, dys := in.x[:n], in.dy[:n]
	var bufs []compute.Buffer
	defer func() {
		for _, buf := range bufs {
			err = errors.Join(err, buf.Release())
		}
	}()
	for _, v := range [][]float32{xs, dys, dys} {
		buf, err := b.Upload(v)
		if err != nil {
			return err
		}
		bufs = append(bufs, buf)
	}
	x, dy, dst := bufs[0], bufs[1], bufs[2]
	got := make([]float32, n)
	f := compute.LeakyReLU(c.slope)
	info := b.Info()

	if info.Backend != "cpu" { // on the CPU there is no way to the device
		upload, err := timeRuns(c.runs, func() error { return errors.Join(x.Write(xs), b.Sync()) })
		if err != nil {
			return err
		}
		download, err := timeRuns(c.runs, func() error { return x.Read(got) })
		if err != nil {
			return err
		}
		mismatch := firstDifference(got, func(i int) bool { return values.Identical(got[i], xs[i]) })
		if mismatch != "" {
			mismatch += " after the way to the device and back"
		}
		r.add(info, "upload", 4, n, upload, mismatch)
		r.add(info, "download", 4, n, download, mismatch)
	}
	for _, op := range ops.All() {
		if !slices.Contains(c.ops, op.Name) {
			continue
		}
		times, err := timeRuns(c.runs, func() error { return errors.Join(op.Run(b, f, dst, dy, x), b.Sync()) })
		if err != nil {
			return err
		}
		if err := dst.Read(got); err != nil {
			return err
		}
		mismatch := firstDifference(got, func(i int) bool { return op.Agrees(f, got[i], dys[i], xs[i], info.FlushesSubnormals) })
		r.add(info, op.Name, op.Bytes, n, times, mismatch)
		if c.output != "" {
			if r.output, err = in.npy.withValues(got); err != nil {
				return err
			}
		}
	}
	return nil
}

// minRun returns the shortest time that one run may take. Below it, calls are
// repeated within the run, so that reading the clock does not count, nor the step
// by which it advances, which on Windows is half a millisecond.
var minRun = sync.OnceValue(func() time.Duration {
	next := func(t time.Time) time.Time { // the first reading after t
		for {
			if now := time.Now(); now.After(t) {
				return now
			}
		}
	}
	step := time.Hour
	for range 3 {
		tick := next(time.Now())
		step = min(step, next(tick).Sub(tick))
	}
	return min(max(200*time.Microsecond, 20*step), 100*time.Millisecond)
})

// timeRuns warms up and returns the time of one call in each of so many runs, in
// nanoseconds, sorted.
func timeRuns(runs int, call func() error) ([]float64, error) {
	calls := 1
	timed := func() (time.Duration, error) {
		start := time.Now()
		for range calls {
			if err := call(); err != nil {
				return 0, err
			}
		}
		return time.Since(start), nil
	}
	// Warm up: twice at least, and until a run is long enough.
	for warm := 0; ; warm++ {
		d, err := timed()
		if err != nil {
			return nil, err
		}
		if d >= minRun() {
			if warm > 0 {
				break
			}
			continue
		}
		calls *= 2
	}
	times := make([]float64, runs)
	for i := 0; i < runs; {
		d, err := timed()
		if err != nil {
			return nil, err
		}
		if d < minRun()/2 { // the warm-up was held up, so calls are too few
			calls *= 2
			i = 0
			continue
		}
		times[i] = float64(d.Nanoseconds()) / float64(calls)
		i++
	}
	slices.Sort(times)
	return times, nil
}

// median returns the middle one of sorted times.
func median(sorted []float64) float64 { return stat.Quantile(0.5, stat.Empirical, sorted, nil) }

// firstDifference describes the first element of got that is not right, or
// returns "". It asks on all cores.
func firstDifference(got []float32, right func(i int) bool) string {
	workers := runtime.GOMAXPROCS(0)
	share := (len(got) + workers - 1) / workers
	first := make([]int, workers) // of each share, or -1
	var wg sync.WaitGroup
	for w := range workers {
		first[w] = -1
		wg.Go(func() {
			for i := w * share; i < min((w+1)*share, len(got)); i++ {
				if !right(i) {
					first[w] = i
					return
				}
			}
		})
	}
	wg.Wait()
	for _, i := range first {
		if i >= 0 {
			return fmt.Sprintf("element %d of %d is %v (0x%08x)", i, len(got), got[i], math.Float32bits(got[i]))
		}
	}
	return ""
}
