package cpu

import (
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// buffer is a slice of float32 outside of what callers can reach.
type buffer struct {
	owner *backend
	id    uint64 // order of locking
	n     int    // elements

	mu       sync.RWMutex // guards what follows, and the elements of data
	data     []float32
	released bool
}

func (b *backend) Alloc(n int) (compute.Buffer, error) {
	return b.newBuffer(b.call("alloc"), n, nil)
}

func (b *backend) Upload(src []float32) (compute.Buffer, error) {
	return b.newBuffer(b.call("upload"), len(src), src)
}

// newBuffer returns a buffer of n elements that begins with those of src.
func (b *backend) newBuffer(c check.Call, n int, src []float32) (compute.Buffer, error) {
	if b.closed.Load() {
		return nil, c.Closed()
	}
	if err := c.Size(n); err != nil {
		return nil, err
	}
	data, err := allocate(n)
	if err != nil {
		return nil, c.Fail(compute.ErrOutOfMemory, "%d elements, %d bytes: %v; release buffers or work in parts", n, 4*int64(n), err)
	}
	copy(data, src)
	buf := &buffer{owner: b, n: n, data: data}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() { // while the memory was got
		free(data)
		return nil, c.Closed()
	}
	b.nextID++
	buf.id = b.nextID
	b.live[buf] = struct{}{}
	b.liveBytes += 4 * int64(n)
	return buf, nil
}

func (buf *buffer) Len() int { return buf.n }

func (buf *buffer) Write(src []float32) error {
	c := buf.owner.call("write")
	buf.mu.Lock()
	defer buf.mu.Unlock()
	if buf.released {
		return c.Released("the buffer")
	}
	if err := c.Lengths("the buffer", buf.n, "src", len(src)); err != nil {
		return err
	}
	copy(buf.data, src)
	return nil
}

func (buf *buffer) Read(dst []float32) error {
	c := buf.owner.call("read")
	buf.mu.RLock()
	defer buf.mu.RUnlock()
	if buf.released {
		return c.Released("the buffer")
	}
	if err := c.Lengths("the buffer", buf.n, "dst", len(dst)); err != nil {
		return err
	}
	copy(dst, buf.data)
	return nil
}

func (buf *buffer) Release() error {
	buf.mu.Lock()
	defer buf.mu.Unlock()
	if buf.released {
		return nil
	}
	buf.released = true
	free(buf.data)
	buf.data = nil
	b := buf.owner
	b.mu.Lock()
	delete(b.live, buf)
	b.liveBytes -= 4 * int64(buf.n)
	b.mu.Unlock()
	return nil
}
