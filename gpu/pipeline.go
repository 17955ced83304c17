//go:build opencl && cgo

package gpu

import (
	"errors"
	"unsafe"

	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/mempool"
)

// A pipeline moves data between the host and the device, and computes on the way. It
// has a queue and kernels of its own, so that several pipelines are at work at once: one
// transfers while another computes. It belongs to whoever took it out of
// device.pipelines. All its methods wait for what they enqueue.
type pipeline struct {
	d       *device
	queue   *opencl.Queue
	kernels []kernelSet

	capacity int             // elements of what follows, each made when first needed
	buffer   *opencl.Mem     // of the device
	staging  *opencl.Staging // of the host; nil where data is used where it is
}

func newPipeline(d *device) (*pipeline, error) {
	p := &pipeline{d: d}
	err := d.withMemory(func() (err error) {
		p.queue, err = d.context.NewQueue()
		return err
	})
	if err != nil {
		return nil, err
	}
	if p.kernels, err = newKernels(d.context); err != nil {
		return nil, worst([]error{err, p.close()})
	}
	return p, nil
}

// run computes dst from src, of the same length, not empty.
func (p *pipeline) run(c *code, slope float32, dst, src []float32) error {
	k := p.kernels[c.kind][c.form]
	if !p.d.shared {
		return p.staged(k, slope, dst, src)
	}
	if p.d.usableInPlace(dst) && p.d.usableInPlace(src) {
		err := p.direct(k, slope, dst, src)
		if !errors.Is(err, errNotWrapped) {
			return err
		}
	}
	for len(src) > 0 { // which may be more than fits into the memory of the pipeline
		n := min(len(src), p.d.part)
		if err := p.copied(k, slope, dst[:n], src[:n]); err != nil {
			return err
		}
		dst, src = dst[n:], src[n:]
	}
	return nil
}

// usableInPlace reports whether the device can work in the memory of s, without a copy. A
// CPU can; others need whole pages, or for the end of one a multiple of a cache line
// (Intel's guide to OpenCL on its graphics names 4096 and 64 bytes).
func (d *device) usableInPlace(s []float32) bool {
	if !d.shape.aligned {
		return true
	}
	return uintptr(unsafe.Pointer(&s[0]))%4096 == 0 && len(s)%(64/4) == 0
}

// errNotWrapped: dst or src must be copied, and nothing has happened yet.
var errNotWrapped = errors.New("not usable in place")

// direct lets the device work in the memory of dst and src.
func (p *pipeline) direct(k *opencl.Kernel, slope float32, dst, src []float32) error {
	inPlace := &dst[0] == &src[0]
	x, err := p.d.context.Wrap(src, inPlace)
	y := x
	if err == nil && !inPlace {
		if y, err = p.d.context.Wrap(dst, true); err != nil {
			x.Release()
		}
	}
	switch {
	case opencl.CannotWrap(err):
		return errNotWrapped
	case err != nil:
		return err
	}
	n := len(src)
	err = p.d.enqueue(p.queue, k, n, y, x, p.d.shape.count(n), slope)
	if err == nil {
		err = p.queue.Update(y, n)
	}
	err = p.done(err)
	for _, m := range []*opencl.Mem{y, x} {
		if p.queue.Lost() {
			m.Abandon()
		} else {
			m.Release()
		}
	}
	return err
}

// copied copies src into memory of the device, which is memory of the host, computes
// there, and copies dst out of it.
func (p *pipeline) copied(k *opencl.Kernel, slope float32, dst, src []float32) error {
	n := len(src)
	err := p.reserve(n, true)
	if err == nil {
		err = p.d.withMemory(func() error { return p.queue.Write(p.buffer, 0, src) })
	}
	if err == nil {
		err = p.d.enqueue(p.queue, k, n, p.buffer, p.buffer, p.d.shape.count(n), slope)
	}
	if err == nil {
		err = p.queue.Read(p.buffer, 0, dst)
	}
	return p.done(err)
}

// staged copies src to the device, computes there, and copies dst back.
func (p *pipeline) staged(k *opencl.Kernel, slope float32, dst, src []float32) error {
	n := len(src)
	if err := p.reserve(n, true); err != nil {
		return err
	}
	copy(p.staging.Values, src)
	err := p.d.withMemory(func() error { return p.queue.StartWrite(p.buffer, 0, p.staging, n) })
	if err == nil {
		err = p.d.enqueue(p.queue, k, n, p.buffer, p.buffer, p.d.shape.count(n), slope)
	}
	if err == nil {
		err = p.queue.StartRead(p.buffer, 0, p.staging, n)
	}
	if err = p.done(err); err == nil {
		copy(dst, p.staging.Values)
	}
	return err
}

// upload copies src to m, from its element offset on.
func (p *pipeline) upload(m *opencl.Mem, offset int, src []float32) error {
	if err := p.reserve(len(src), false); err != nil {
		return err
	}
	copy(p.staging.Values, src)
	return p.done(p.d.withMemory(func() error { return p.queue.StartWrite(m, offset, p.staging, len(src)) }))
}

// download copies m, from its element offset on, to dst.
func (p *pipeline) download(dst []float32, m *opencl.Mem, offset int) error {
	if err := p.reserve(len(dst), false); err != nil {
		return err
	}
	err := p.done(p.queue.StartRead(m, offset, p.staging, len(dst)))
	if err == nil {
		copy(dst, p.staging.Values)
	}
	return err
}

// done waits for all that was enqueued before err, and returns what failed.
func (p *pipeline) done(err error) error {
	if late := p.queue.Wait(); late != nil {
		return late
	}
	return err
}

// reserve makes the pipeline's memory of the host, if it has any, hold n elements, and
// if device is set, its memory of the device too.
func (p *pipeline) reserve(n int, device bool) error {
	if n > p.capacity {
		if _, err := p.shrink(); err != nil {
			return err
		}
		p.capacity = max(n, min(mempool.Class(n), p.d.part))
	}
	before := p.bytes()
	err := p.d.withMemory(func() (err error) {
		if !p.d.shared && p.staging == nil {
			p.staging, err = p.d.context.NewStaging(p.queue, p.capacity)
		}
		if device && p.buffer == nil && err == nil {
			p.buffer, err = p.d.context.Alloc(4 * p.capacity)
		}
		return err
	})
	p.d.pipelineBytes.Add(p.bytes() - before)
	return err
}

// bytes returns how much memory the pipeline holds, of the device and of the host.
func (p *pipeline) bytes() (bytes int64) {
	if p.buffer != nil {
		bytes += 4 * int64(p.capacity)
	}
	if p.staging != nil {
		bytes += 4 * int64(p.capacity)
	}
	return bytes
}

// shrink gives the memory of the pipeline back, and returns how many bytes that was. It
// is gone after an error too, which is a fault of the device.
func (p *pipeline) shrink() (int64, error) {
	bytes := p.bytes()
	err := p.staging.Release()
	p.buffer.Release()
	p.staging, p.buffer, p.capacity = nil, nil, 0
	p.d.pipelineBytes.Add(-bytes)
	return bytes, err
}

// close gives everything back.
func (p *pipeline) close() error {
	_, err := p.shrink()
	for _, k := range p.kernels {
		k.release()
	}
	return worst([]error{err, p.queue.Close()})
}
