//go:build opencl && cgo

package gpu

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
)

// planPipelines decides how many pipelines there are and how much each takes at a time,
// within a number of bytes of the device, on a host with cores cores. Some pipelines copy
// on the host while others' data is on its way up, at the device, or on its way
// down.
func (d *device) planPipelines(bytes int64, cores int) {
	const (
		page    = 4096 / 4
		maxPart = 512 << 10 // 2 MiB: more gains little on a bus, and this stays in the caches of the host
	)
	pipelines := min(max(3, cores/2), 8)
	if bytes/4 < int64(pipelines*page) {
		pipelines = 1
	}
	// Whole pages, so that what follows begins with one.
	pages := func(n int64) int { return max(int(min(n, d.info.MaxAlloc/4))/page*page, 1) }
	d.part = pages(min(bytes/4/int64(pipelines), maxPart))
	d.directPart = pages(directPart) // it takes no memory of the device
	d.pipelines = make(chan *pipeline, pipelines)
	for range pipelines {
		d.pipelines <- nil
	}
}

// directPart is the number of elements that a device takes at a time where it works
// in the memory of the caller: enough for a launch not to count. One part then
// follows the other, since every core or unit is at work on it anyway.
const directPart = 64 << 20

func (d *device) Stream(ctx context.Context, c *driver.HostCall) error {
	code, dst, src := c.Code.(*code), c.Operands[0].Memory.Floats, c.Operands[1].Memory.Floats
	slope := math.Float32frombits(c.Params[0])
	part, workers := d.part, cap(d.pipelines)
	if d.shared && d.usableInPlace(dst) && d.usableInPlace(src) {
		part, workers = d.directPart, 1
	}
	return inParts(len(src), part, workers, func(from, to int) error {
		err := d.withPipeline(ctx, func(p *pipeline) error { return p.run(code, slope, dst[from:to], src[from:to]) })
		if errors.Is(err, compute.ErrOutOfMemory) && !errors.Is(err, compute.ErrDevice) {
			err = fmt.Errorf("%w; lower Options.StreamMemory or %s", err, StreamMemoryEnv)
		}
		return err
	})
}

// inParts runs do for parts of n elements, from one index to another, each of so
// many elements, in several goroutines. It returns the worst error; after one it
// starts no more.
func inParts(n, part, workers int, do func(from, to int) error) error {
	parts := n / part
	if n%part > 0 {
		parts++
	}
	var next atomic.Int64
	work := func() error {
		for {
			i := int(next.Add(1)) - 1
			if i >= parts {
				return nil
			}
			if err := do(i*part, min((i+1)*part, n)); err != nil {
				next.Store(int64(parts))
				return err
			}
		}
	}
	workers = min(parts, workers)
	if workers == 1 {
		return work()
	}
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() { errs[i] = work() })
	}
	wg.Wait()
	return worst(errs)
}

// worst returns the most severe of errs: a fault of the device, or else the first.
func worst(errs []error) error {
	var first error
	for _, err := range errs {
		if errors.Is(err, compute.ErrDevice) {
			return err
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// withPipeline runs do on a pipeline, when one rests.
func (d *device) withPipeline(ctx context.Context, do func(*pipeline) error) error {
	if err := driver.Ended(ctx); err != nil {
		return err
	}
	var p *pipeline
	select {
	case p = <-d.pipelines:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { d.pipelines <- p }()
	if p == nil {
		made, err := newPipeline(d)
		if err != nil {
			return err
		}
		p = made
	}
	return do(p)
}
