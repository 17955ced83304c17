//go:build opencl && cgo

package gpu

import (
	"errors"
	"unsafe"

	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/mempool"
)

// A lane moves data between the host and the device, and computes on the way. It
// has a queue and kernels of its own, so that several lanes are at work at once: one
// transfers while another computes. It belongs to whoever took it out of
// device.lanes. All its methods wait for what they enqueue.
type lane struct {
	d       *device
	queue   *opencl.Queue
	kernels []kernelSet

	capacity int             // elements of what follows, each made when first needed
	buffer   *opencl.Mem     // of the device
	staging  *opencl.Staging // of the host; nil where data is used where it is
}

func newLane(d *device) (*lane, error) {
	l := &lane{d: d}
	err := d.withMemory(func() (err error) {
		l.queue, err = d.context.NewQueue()
		return err
	})
	if err != nil {
		return nil, err
	}
	if l.kernels, err = newKernels(d.context); err != nil {
		return nil, worst([]error{err, l.close()})
	}
	return l, nil
}

// run computes dst from src, of the same length, not empty.
func (l *lane) run(kernel driver.Kernel, dst, src []float32) error {
	f := kernel.F
	k := l.kernels[f.Kind][kernel.Form]
	if !l.d.shared {
		return l.staged(k, f.NegativeSlope, dst, src)
	}
	if l.d.usableInPlace(dst) && l.d.usableInPlace(src) {
		err := l.direct(k, f.NegativeSlope, dst, src)
		if !errors.Is(err, errNotWrapped) {
			return err
		}
	}
	for len(src) > 0 { // which may be more than fits into the memory of the lane
		n := min(len(src), l.d.part)
		if err := l.copied(k, f.NegativeSlope, dst[:n], src[:n]); err != nil {
			return err
		}
		dst, src = dst[n:], src[n:]
	}
	return nil
}

// usableInPlace tells whether the device takes the memory of s as it is, instead
// of a copy of it. A CPU does; others need whole pages, or for the end of one a
// multiple of a cache line (Intel's guide to OpenCL on its graphics names 4096 and
// 64 bytes).
func (d *device) usableInPlace(s []float32) bool {
	if !d.shape.aligned {
		return true
	}
	return uintptr(unsafe.Pointer(&s[0]))%4096 == 0 && len(s)%(64/4) == 0
}

// errNotWrapped: dst or src must be copied, and nothing has happened yet.
var errNotWrapped = errors.New("not usable in place")

// direct lets the device work in the memory of dst and src.
func (l *lane) direct(k *opencl.Kernel, slope float32, dst, src []float32) error {
	inPlace := &dst[0] == &src[0]
	x, err := l.d.context.Wrap(src, inPlace)
	y := x
	if err == nil && !inPlace {
		if y, err = l.d.context.Wrap(dst, true); err != nil {
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
	err = l.d.enqueue(l.queue, k, n, y, x, l.d.shape.count(n), slope)
	if err == nil {
		err = l.queue.Update(y, n)
	}
	err = l.done(err)
	for _, m := range []*opencl.Mem{y, x} {
		if l.queue.Lost() {
			m.Abandon()
		} else {
			m.Release()
		}
	}
	return err
}

// copied copies src into memory of the device, which is memory of the host, computes
// there, and copies dst out of it.
func (l *lane) copied(k *opencl.Kernel, slope float32, dst, src []float32) error {
	n := len(src)
	err := l.reserve(n, true)
	if err == nil {
		err = l.d.withMemory(func() error { return l.queue.Write(l.buffer, 0, src) })
	}
	if err == nil {
		err = l.d.enqueue(l.queue, k, n, l.buffer, l.buffer, l.d.shape.count(n), slope)
	}
	if err == nil {
		err = l.queue.Read(l.buffer, 0, dst)
	}
	return l.done(err)
}

// staged copies src to the device, computes there, and copies dst back.
func (l *lane) staged(k *opencl.Kernel, slope float32, dst, src []float32) error {
	n := len(src)
	if err := l.reserve(n, true); err != nil {
		return err
	}
	copy(l.staging.Values, src)
	err := l.d.withMemory(func() error { return l.queue.StartWrite(l.buffer, 0, l.staging, n) })
	if err == nil {
		err = l.d.enqueue(l.queue, k, n, l.buffer, l.buffer, l.d.shape.count(n), slope)
	}
	if err == nil {
		err = l.queue.StartRead(l.buffer, 0, l.staging, n)
	}
	if err = l.done(err); err == nil {
		copy(dst, l.staging.Values)
	}
	return err
}

// upload copies src to m, from its element offset on.
func (l *lane) upload(m *opencl.Mem, offset int, src []float32) error {
	if err := l.reserve(len(src), false); err != nil {
		return err
	}
	copy(l.staging.Values, src)
	return l.done(l.d.withMemory(func() error { return l.queue.StartWrite(m, offset, l.staging, len(src)) }))
}

// download copies m, from its element offset on, to dst.
func (l *lane) download(dst []float32, m *opencl.Mem, offset int) error {
	if err := l.reserve(len(dst), false); err != nil {
		return err
	}
	err := l.done(l.queue.StartRead(m, offset, l.staging, len(dst)))
	if err == nil {
		copy(dst, l.staging.Values)
	}
	return err
}

// done waits for all that was enqueued before err, and returns what failed.
func (l *lane) done(err error) error {
	if late := l.queue.Wait(); late != nil {
		return late
	}
	return err
}

// reserve makes the lane's memory of the host, if it has any, hold n elements, and
// with device that of the device too.
func (l *lane) reserve(n int, device bool) error {
	if n > l.capacity {
		if _, err := l.shrink(); err != nil {
			return err
		}
		l.capacity = max(n, min(mempool.Class(n), l.d.part))
	}
	before := l.bytes()
	err := l.d.withMemory(func() (err error) {
		if !l.d.shared && l.staging == nil {
			l.staging, err = l.d.context.NewStaging(l.queue, l.capacity)
		}
		if device && l.buffer == nil && err == nil {
			l.buffer, err = l.d.context.Alloc(4 * l.capacity)
		}
		return err
	})
	l.d.laneBytes.Add(l.bytes() - before)
	return err
}

// bytes returns how much memory the lane holds, of the device and of the host.
func (l *lane) bytes() (bytes int64) {
	if l.buffer != nil {
		bytes += 4 * int64(l.capacity)
	}
	if l.staging != nil {
		bytes += 4 * int64(l.capacity)
	}
	return bytes
}

// shrink gives the memory of the lane back, and returns how many bytes that was. It
// is gone beside an error too, which is that of a fault of the device.
func (l *lane) shrink() (int64, error) {
	bytes := l.bytes()
	err := l.staging.Release()
	l.buffer.Release()
	l.staging, l.buffer, l.capacity = nil, nil, 0
	l.d.laneBytes.Add(-bytes)
	return bytes, err
}

// close gives everything back.
func (l *lane) close() error {
	_, err := l.shrink()
	for _, k := range l.kernels {
		k.release()
	}
	return worst([]error{err, l.queue.Close()})
}
