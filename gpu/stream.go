//go:build opencl && cgo

package gpu

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/kernel"
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

// Stream computes a call on memory of the host, in parts.
func (d *device) Stream(ctx context.Context, call *driver.HostCall) error {
	c := newStreamed(call)
	part, workers, run := c.elements(d.part), cap(d.pipelines), (*pipeline).run
	if d.shared && c.usableInPlace(d) {
		part, workers, run = d.directPart, 1, func(p *pipeline, t *task) error {
			err := p.direct(t)
			if !errors.Is(err, errNotWrapped) {
				return err
			}
			small := c.elements(d.part)
			return inParts(t.n, small, 1, func(from, to int) error {
				return p.run(newTask(c, int(t.index-call.Index)+from, to-from))
			})
		}
	}
	err := inParts(call.N, part, workers, func(from, to int) error {
		err := d.withPipeline(ctx, func(p *pipeline) error { return run(p, newTask(c, from, to-from)) })
		if errors.Is(err, compute.ErrOutOfMemory) && !errors.Is(err, compute.ErrDevice) {
			err = fmt.Errorf("%w; lower Options.StreamMemory or %s", err, StreamMemoryEnv)
		}
		return err
	})
	c.clearRest()
	return err
}

// streamed is a call on memory of the host, and where its operands go to on the device.
type streamed struct {
	call    *driver.HostCall
	code    *code
	buffer  []int // by operand; a result takes the place of an input, if there is one for it
	buffers int   // how many there are
	bits    int   // of all buffers, for an element
}

func newStreamed(call *driver.HostCall) *streamed {
	c := &streamed{call: call, code: call.Code.(*code), buffer: make([]int, len(call.Operands))}
	results := len(c.code.kernel.Results)
	taken := make([]bool, len(call.Operands))
	add := func(i int) {
		c.buffer[i] = c.buffers
		c.buffers++
		if c.bits++; c.address(i) != kernel.Bit {
			c.bits += 31
		}
	}
	for i := results; i < len(call.Operands); i++ {
		add(i)
	}
	for i := range results {
		in := results
		for in < len(taken) && (taken[in] || c.address(in) != c.address(i)) {
			in++
		}
		if in == len(taken) {
			add(i)
			continue
		}
		taken[in] = true
		c.buffer[i] = c.buffer[in]
	}
	return c
}

// address returns that of an operand.
func (c *streamed) address(i int) kernel.Address {
	k := c.code.kernel
	if i < len(k.Results) {
		return k.Results[i]
	}
	return k.Inputs[i-len(k.Results)]
}

// elements returns how many elements a part has whose buffers have capacity elements together.
// It is a multiple of 64, so that parts have whole words of masks, and if it can be of a page.
func (c *streamed) elements(capacity int) int {
	const page = 4096 / 4
	n := capacity * 32 / c.bits
	if n >= page {
		return n / page * page
	}
	return max(n/64*64, 64)
}

// usableInPlace reports whether d can work in the memory of all operands that are not
// repeated, and the others are few elements.
func (c *streamed) usableInPlace(d *device) bool {
	n, repeated := min(c.call.N, d.directPart), 0
	for i, o := range c.call.Operands {
		switch c.address(i) {
		case kernel.Element:
			if !d.usableInPlace(o.Memory.Floats) {
				return false
			}
		case kernel.Bit:
			if !d.usableInPlace(words(o.Memory.Words)) {
				return false
			}
		case kernel.Row:
			repeated += min(o.Len, n)
		case kernel.Col:
			repeated += n/o.Period + 2
		}
	}
	return repeated <= d.part
}

// clearRest clears the bits after the last in masks that are results.
func (c *streamed) clearRest() {
	for i, a := range c.code.kernel.Results {
		if rest := c.call.N % 64; a == kernel.Bit && rest > 0 {
			c.call.Operands[i].Memory.Words[c.call.N/64] &= 1<<rest - 1
		}
	}
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
