//go:build opencl && cgo

package opencl

import (
	"errors"
	"runtime"
	"unsafe"

	"github.com/jgillich/go-opencl/cl"

	"github.com/gmind-go/compute"
)

// A Mem is memory that the device works in.
type Mem struct {
	mem *cl.MemObject   // nil when released
	pin *runtime.Pinner // of the slice that it is; nil if it has memory of its own
}

// Alloc returns bytes of memory of the device, at least one, to be released. On a
// device that works in the memory of the host it is of the kind that can be
// mapped without a copy.
func (c *Context) Alloc(bytes int) (*Mem, error) {
	var flags cl.MemFlag = cl.MemReadWrite
	if c.device.SharedMemory {
		flags |= cl.MemAllocHostPtr
	}
	return c.alloc(flags, bytes)
}

func (c *Context) alloc(flags cl.MemFlag, bytes int) (*Mem, error) {
	return c.create(flags, bytes, nil, nil)
}

// Wrap returns host itself, not empty, as memory of the device, which writes to it
// only if write is set. It stays where it is, and nothing else may write to it, until
// Release. See CannotWrap for the errors.
func (c *Context) Wrap(host []float32, write bool) (*Mem, error) {
	flags := cl.MemUseHostPtr | cl.MemReadOnly
	if write {
		flags = cl.MemUseHostPtr | cl.MemReadWrite
	}
	pin := &runtime.Pinner{}
	pin.Pin(&host[0])
	m, err := c.create(flags, size(host), unsafe.Pointer(&host[0]), pin)
	if err != nil {
		pin.Unpin()
	}
	return m, err
}

func (c *Context) create(flags cl.MemFlag, bytes int, host unsafe.Pointer, pin *runtime.Pinner) (*Mem, error) {
	m := &Mem{pin: pin}
	err := call("clCreateBuffer", func() (err error) {
		m.mem, err = c.context.CreateBufferUnsafe(flags, bytes, host)
		return err
	})
	if err != nil {
		return nil, err
	}
	runtime.SetFinalizer(m.mem, nil)
	return m, nil
}

// Release gives the memory back, when the commands that use it are done; that of
// Wrap only once they have been waited for. Calls after the first, and on nil, do
// nothing.
func (m *Mem) Release() {
	if m == nil || m.mem == nil {
		return
	}
	m.mem.Release()
	m.mem = nil
	if m.pin != nil {
		m.pin.Unpin()
	}
}

// Abandon is Release for memory of Wrap that the device may still write to,
// because it could not be waited for: the slice then stays pinned, for ever.
func (m *Mem) Abandon() {
	if m.mem != nil && m.pin != nil {
		abandoned.add(m.pin)
		m.pin = nil
	}
	m.Release()
}

// A Staging is memory of the host that the device transfers from and to faster
// than other, and while the caller goes on. Where its memory is one for both it is
// the same as any.
type Staging struct {
	Values []float32

	mem    *Mem
	queue  *Queue
	mapped *cl.MappedMemObject
}

// NewStaging returns staging memory for n elements, at least one, to be released
// before q is closed.
func (c *Context) NewStaging(q *Queue, n int) (*Staging, error) {
	m, err := c.alloc(cl.MemReadWrite|cl.MemAllocHostPtr, 4*n)
	if err != nil {
		return nil, err
	}
	s := &Staging{mem: m, queue: q}
	if s.mapped, s.Values, err = q.mapMem(m, cl.MapFlagRead|cl.MapFlagWrite, 0, n); err != nil {
		m.Release()
		return nil, err
	}
	return s, nil
}

// Release gives the memory back. The transfers from and to it must have been
// waited for. A lack of memory does not matter here: its error is a fault of
// the device. On nil it does nothing.
func (s *Staging) Release() error {
	if s == nil {
		return nil
	}
	err := s.queue.unmap(s.mem, s.mapped)
	s.Values = nil
	s.mem.Release()
	if late := s.queue.Wait(); late != nil { // the memory is gone when this returns
		return late
	}
	if errors.Is(err, compute.ErrOutOfMemory) {
		return nil
	}
	return err
}

func size(s []float32) int { return len(s) * int(unsafe.Sizeof(s[0])) }
