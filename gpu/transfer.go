//go:build opencl && cgo

package gpu

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
)

// transferPart returns how many elements a pipeline moves at a time between the host
// and a device with memory of its own: 1 MiB by default, for which a fast bus takes some
// 40 µs, about as long as it takes to ask for a transfer and to wait for it. What is less is
// not worth being staged.
func (d *device) transferPart() int { return max(d.part/2, 1) }

// mapFrom is the number of elements from which on memory that is shared may be mapped for
// a transfer, so that several cores copy. What is less is copied by one core either way,
// and the transfer of OpenCL is one command where a map is two.
const mapFrom = 2 * copyShare

func (d *device) Write(m driver.Memory, src []float32) error {
	mem, offset := m.(*memory).Mem, m.(*memory).from
	return d.transfer(len(src), &d.writes, func() error {
		return d.queue.Write(mem, offset, src)
	}, func() error {
		return d.queue.Fill(mem, offset, len(src), func(values []float32) { copyAll(values, src) })
	}, func(p *pipeline, from, to int) error {
		return p.upload(mem, offset+from, src[from:to])
	})
}

func (d *device) Read(m driver.Memory, dst []float32) error {
	mem, offset := m.(*memory).Mem, m.(*memory).from
	return d.transfer(len(dst), &d.reads, func() error {
		return d.queue.Read(mem, offset, dst)
	}, func() error {
		return d.queue.View(mem, offset, len(dst), func(values []float32) { copyAll(dst, values) })
	}, func(p *pipeline, from, to int) error {
		return p.download(dst[from:to], mem, offset+from)
	})
}

// ReadMask copies bit i%8 of byte i/8 for element i. On a host that is little-endian, as
// all are that this package is built for, that is bit i%64 of word i/64.
func (d *device) ReadMask(m driver.Memory, dst []uint64) error {
	// Only moved, never computed with, so any bits survive as float32.
	return d.Read(m, unsafe.Slice((*float32)(unsafe.Pointer(&dst[0])), 2*len(dst)))
}

// transfer moves n elements between the host and memory that no other call uses: by a
// command, where memory is shared by mapping it if c chooses so, and much of it in parts
// by pipelines, while other calls go on.
func (d *device) transfer(n int, c *chooser, command, mapped func() error, part func(p *pipeline, from, to int) error) error {
	if !d.shared && n > d.transferPart() {
		if err := d.Sync(); err != nil { // the kernels that use the memory
			return err
		}
		err := inParts(n, d.transferPart(), cap(d.pipelines), func(from, to int) error {
			return d.withPipeline(context.Background(), func(p *pipeline) error { return part(p, from, to) })
		})
		if !errors.Is(err, compute.ErrOutOfMemory) { // for the staging
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	plain := func() error { return d.withMemory(command) }
	if !d.shared || n < mapFrom {
		return plain()
	}
	if !c.settled() { // so that no kernel is timed
		if err := d.queue.Wait(); err != nil {
			return err
		}
	}
	return c.do(n, [2]func() error{plain, func() error { return d.withMemory(mapped) }})
}

// copyShare is the least number of elements that a core copies.
const copyShare = 1 << 20

// copyAll copies src to dst, of the same length, on several cores if that is much:
// one core alone does not reach the speed of the memory.
func copyAll(dst, src []float32) {
	cores := min(runtime.GOMAXPROCS(0), len(src)/copyShare)
	if cores <= 1 {
		copy(dst, src)
		return
	}
	part := (len(src) + cores - 1) / cores
	var wg sync.WaitGroup
	for from := 0; from < len(src); from += part {
		to := min(from+part, len(src))
		wg.Go(func() { copy(dst[from:to], src[from:to]) })
	}
	wg.Wait()
}
