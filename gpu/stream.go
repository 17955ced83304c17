//go:build opencl && cgo

package gpu

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// planLanes decides how many lanes there are and how much each takes at a time,
// within so many bytes of the device, on a host with so many cores. Some lanes copy
// on the host while others' data is on its way up, at the device, or on its way
// down.
func (b *backend) planLanes(bytes int64, cores int) {
	const (
		page    = 4096 / 4
		maxPart = 512 << 10 // 2 MiB: more gains little on a bus, and this stays in the caches of the host
	)
	lanes := min(max(3, cores/2), 8)
	if bytes/4 < int64(lanes*page) {
		lanes = 1
	}
	// Whole pages, so that what follows begins with one.
	pages := func(n int64) int { return max(int(min(n, b.info.MaxAlloc/4))/page*page, 1) }
	b.part = pages(min(bytes/4/int64(lanes), maxPart))
	b.directPart = pages(directPart) // it takes no memory of the device
	b.lanes = make(chan *lane, lanes)
	for range lanes {
		b.lanes <- nil
	}
}

// directPart is the number of elements that a device takes at a time where it works
// in the memory of the caller: enough for a launch not to count. One part then
// follows the other, since every core or unit is at work on it anyway.
const directPart = 64 << 20

func (b *backend) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	c := b.call("stream")
	ready := func() error {
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.usable(c)
	}
	if err := ready(); err != nil {
		return err
	}
	if err := c.Stream(ctx, cmp.Or(op.Validate(), f.Validate()), dst, src); err != nil || len(src) == 0 {
		return err
	}
	part, workers := b.part, cap(b.lanes)
	if b.shared && b.usableInPlace(dst) && b.usableInPlace(src) {
		part, workers = b.directPart, 1
	}
	return inParts(len(src), part, workers, func(from, to int) error {
		if err := ready(); err != nil {
			return err
		}
		err := b.withLane(ctx, func(l *lane) error { return l.run(op, f, dst[from:to], src[from:to]) })
		if err == nil {
			return nil
		}
		switch ended := check.Ended(ctx); {
		case errors.Is(err, compute.ErrClosed):
			return c.Closed()
		case ended != nil && errors.Is(err, ended):
			return c.Wrap(err)
		case errors.Is(err, compute.ErrOutOfMemory):
			err = fmt.Errorf("%w; lower Options.StreamMemory or %s", err, StreamMemoryEnv)
		}
		b.mu.Lock()
		defer b.mu.Unlock()
		return b.result(c, to-from, err)
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

// worst returns that of errs after which least works: a fault of the device, or the
// first that there is.
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

// withLane runs do on a lane, when one rests.
func (b *backend) withLane(ctx context.Context, do func(*lane) error) error {
	if err := check.Ended(ctx); err != nil {
		return err
	}
	var l *lane
	select {
	case l = <-b.lanes:
	case <-b.closing:
		return compute.ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { b.lanes <- l }()
	if l == nil {
		made, err := newLane(b)
		if err != nil {
			return err
		}
		l = made
	}
	return do(l)
}
