//go:build opencl && cgo

package gpu

import (
	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/check"
)

// buffer is memory of the device.
type buffer struct {
	owner    *backend
	n        int         // elements
	mem      *opencl.Mem // nil if n is 0
	released bool        // guarded by the lock of owner
}

func (b *backend) Alloc(n int) (compute.Buffer, error) {
	return b.newBuffer(b.call("alloc"), n, nil)
}

func (b *backend) Upload(src []float32) (compute.Buffer, error) {
	return b.newBuffer(b.call("upload"), len(src), src)
}

// newBuffer returns a buffer of n elements, with those of src, unless it is nil.
func (b *backend) newBuffer(c check.Call, n int, src []float32) (compute.Buffer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.usable(c); err != nil {
		return nil, err
	}
	buf, err := b.allocLocked(c, n)
	if err != nil {
		return nil, err
	}
	if len(src) > 0 {
		if err := b.context.Write(buf.mem, src); err != nil {
			buf.release()
			return nil, b.result(c, n, err)
		}
	}
	return buf, nil
}

// allocLocked returns a buffer of n elements. The lock is held.
func (b *backend) allocLocked(c check.Call, n int) (*buffer, error) {
	if err := c.Size(n); err != nil {
		return nil, err
	}
	if int64(n) > b.info.MaxAlloc/4 {
		return nil, c.Fail(compute.ErrOutOfMemory, "%d elements, %d bytes; the device takes %d bytes in one buffer; work in parts, or use Stream", n, 4*int64(n), b.info.MaxAlloc)
	}
	buf := &buffer{owner: b, n: n}
	if n > 0 {
		var err error
		if buf.mem, err = b.context.Alloc(4 * n); err != nil {
			return nil, b.result(c, n, err)
		}
	}
	b.live[buf] = struct{}{}
	b.liveBytes += 4 * int64(n)
	return buf, nil
}

func (buf *buffer) Len() int { return buf.n }

func (buf *buffer) Write(src []float32) error {
	return buf.transfer("write", "src", src, (*opencl.Context).Write)
}

func (buf *buffer) Read(dst []float32) error {
	return buf.transfer("read", "dst", dst, (*opencl.Context).Read)
}

func (buf *buffer) transfer(op, name string, host []float32, move func(*opencl.Context, *opencl.Mem, []float32) error) error {
	b := buf.owner
	c := b.call(op)
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.usable(c); err != nil {
		return err
	}
	if buf.released {
		return c.Released("the buffer")
	}
	if err := c.Lengths("the buffer", buf.n, name, len(host)); err != nil {
		return err
	}
	if buf.n == 0 {
		return nil
	}
	return b.result(c, buf.n, move(b.context, buf.mem, host))
}

func (buf *buffer) Release() error {
	buf.owner.mu.Lock()
	defer buf.owner.mu.Unlock()
	buf.release()
	return nil
}

// release gives the memory back, once. The lock of the owner is held. OpenCL
// keeps the memory until the commands that use it are done.
func (buf *buffer) release() {
	if buf.released {
		return
	}
	buf.released = true
	if buf.mem != nil {
		buf.mem.Release()
	}
	delete(buf.owner.live, buf)
	buf.owner.liveBytes -= 4 * int64(buf.n)
}
