package main

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"

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

// A measurement is a call that is timed and verified.
type measurement struct {
	name   string
	bytes  int // that must move, per element
	call   func() error
	verify func(got []float32) (right func(i int) bool, err error) // reads its result into got
}

// measureSize times the operations of c, and what limits them, on n elements.
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
	info := b.Info()
	isCopy := func(i int) bool { return values.Identical(got[i], xs[i]) }

	var list []measurement
	if copier, ok := b.(ops.Copier); ok {
		copied := func() error { return errors.Join(copier.Copy(dst, x), b.Sync()) }
		list = append(list, measurement{limit, 8, copied, func(got []float32) (func(int) bool, error) {
			return isCopy, errors.Join(copied(), dst.Read(got))
		}})
	}
	if info.Backend != "cpu" { // on the CPU there is no way to the device
		upload := func() error { return errors.Join(x.Write(xs), b.Sync()) }
		download := func() error { return x.Read(got) }
		back := func([]float32) (func(int) bool, error) { return isCopy, errors.Join(upload(), download()) }
		list = append(list, measurement{"upload", 4, upload, back}, measurement{"download", 4, download, back})
	}
	f := compute.LeakyReLU(c.slope)
	for _, op := range ops.All() {
		if !slices.Contains(c.ops, op.Name) {
			continue
		}
		call := func() error { return errors.Join(op.Run(b, f, dst, dy, x), b.Sync()) }
		list = append(list, measurement{op.Name, op.Bytes, call, func(got []float32) (func(int) bool, error) {
			right := func(i int) bool { return op.Agrees(f, got[i], dys[i], xs[i], info.FlushesSubnormals) }
			return right, errors.Join(call(), dst.Read(got))
		}})
	}

	var calls []func() error
	for _, m := range list {
		calls = append(calls, m.call)
	}
	times, err := timeAll(c.runs, calls)
	if err != nil {
		return err
	}
	for i, m := range list {
		clear(got)
		right, err := m.verify(got)
		if err != nil {
			return err
		}
		r.add(info, m.name, m.bytes, n, times[i], firstDifference(got, right))
		if c.output != "" && slices.Contains(c.ops, m.name) {
			if r.output, err = in.npy.withValues(got); err != nil {
				return err
			}
		}
	}
	return nil
}

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
