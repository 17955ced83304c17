package main

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"gonum.org/v1/gonum/stat"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/values"
)

// An operation is a kernel that is measured.
type operation struct {
	name  string
	bytes int // that must move, per element
	run   func(b compute.Backend, f compute.Activation, dst, dy, x compute.Buffer) error
	want  func(f compute.Activation, dy, x float32) float32
}

var operations = []operation{
	{"forward", 8,
		func(b compute.Backend, f compute.Activation, y, _, x compute.Buffer) error { return b.Forward(f, y, x) },
		func(f compute.Activation, _, x float32) float32 { return f.Value(x) }},
	{"derivative", 8,
		func(b compute.Backend, f compute.Activation, d, _, x compute.Buffer) error {
			return b.Derivative(f, d, x)
		},
		func(f compute.Activation, _, x float32) float32 { return f.Derivative(x) }},
	{"backward", 12,
		func(b compute.Backend, f compute.Activation, dx, dy, x compute.Buffer) error {
			return b.Backward(f, dx, dy, x)
		},
		func(f compute.Activation, dy, x float32) float32 { return dy * f.Derivative(x) }},
}

func opNames() []string {
	var names []string
	for _, op := range operations {
		names = append(names, op.name)
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
		identity := func(_, x float32) float32 { return x }
		mismatch := verify(got, dys, xs, info.FlushesSubnormals, identity)
		r.add(info, "upload", 4, n, upload, mismatch)
		r.add(info, "download", 4, n, download, mismatch)
	}
	for _, op := range operations {
		if !slices.Contains(c.ops, op.name) {
			continue
		}
		times, err := timeRuns(c.runs, func() error { return errors.Join(op.run(b, f, dst, dy, x), b.Sync()) })
		if err != nil {
			return err
		}
		if err := dst.Read(got); err != nil {
			return err
		}
		mismatch := verify(got, dys, xs, info.FlushesSubnormals, func(dy, x float32) float32 { return op.want(f, dy, x) })
		r.add(info, op.name, op.bytes, n, times, mismatch)
		if c.output != "" {
			if r.output, err = in.npy.withValues(got); err != nil {
				return err
			}
		}
	}
	return nil
}

// minRun is the shortest time that one run may take: below it, calls are
// repeated within the run, so that reading the clock does not count.
const minRun = 200 * time.Microsecond

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
		if d >= minRun {
			if warm > 0 {
				break
			}
			continue
		}
		calls *= 2
	}
	times := make([]float64, runs)
	for i := range times {
		d, err := timed()
		if err != nil {
			return nil, err
		}
		times[i] = float64(d.Nanoseconds()) / float64(calls)
	}
	slices.Sort(times)
	return times, nil
}

// median returns the middle one of sorted times.
func median(sorted []float64) float64 { return stat.Quantile(0.5, stat.Empirical, sorted, nil) }

// verify compares got with the reference, bit by bit, and describes the first
// difference, or returns "".
func verify(got, dy, x []float32, flushes bool, want func(dy, x float32) float32) string {
	workers := runtime.GOMAXPROCS(0)
	first := make([]string, workers) // by share, so the first of all is found
	share := (len(got) + workers - 1) / workers
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w * share; i < min((w+1)*share, len(got)); i++ {
				wanted := want(dy[i], x[i])
				if !values.Agree(got[i], wanted, flushes, dy[i], x[i]) {
					first[w] = fmt.Sprintf("element %d of %d is %x and should be %x (x = %x, dy = %x)", i, len(got), got[i], wanted, x[i], dy[i])
					return
				}
			}
		})
	}
	wg.Wait()
	for _, m := range first {
		if m != "" {
			return m
		}
	}
	return ""
}
