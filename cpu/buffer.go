package cpu

import (
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// buffer is a slice of float32 outside of what callers can reach; or what a mask
// has of its own, whose bits lie in data.
type buffer struct {
	owner *backend
	id    uint64 // order of locking
	n     int    // elements, or bits

	mu       sync.Mutex // guards what follows, and the elements
	data     []float32
	memory   *memory // that data is in; nil for 0 elements
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
	buf, err := b.reserve(c, n, n)
	if err != nil {
		return nil, err
	}
	b.copy(buf, buf.data[:len(src)], src)
	if err := b.admit(c, buf); err != nil {
		return nil, err
	}
	return buf, nil
}

// reserve returns a buffer of n elements, or of n bits, in so many float32 of
// memory, that nobody else knows of yet.
func (b *backend) reserve(c check.Call, n, room int) (*buffer, error) {
	if b.closed.Load() {
		return nil, c.Closed()
	}
	if err := c.Size(n); err != nil {
		return nil, err
	}
	buf := &buffer{owner: b, n: n}
	if n > 0 {
		m, err := b.memory.get(room)
		if err != nil {
			return nil, c.Fail(compute.ErrOutOfMemory, "%d elements, %d bytes: %v; release buffers or work in parts", n, 4*int64(room), err)
		}
		buf.memory, buf.data = m, m.elements
	}
	return buf, nil
}

// admit counts buf among the live ones, from where Close releases it.
func (b *backend) admit(c check.Call, buf *buffer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() { // while the memory was got
		if buf.n > 0 {
			b.memory.free(buf.memory)
		}
		return c.Closed()
	}
	b.nextID++
	buf.id = b.nextID
	b.live[buf] = struct{}{}
	b.liveBytes += buf.bytes()
	return nil
}

// bytes returns the size of what buf holds. Its lock is held, or nobody knows it.
func (buf *buffer) bytes() int64 { return 4 * int64(len(buf.data)) }

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
	buf.owner.copy(buf, buf.data, src)
	return nil
}

func (buf *buffer) Read(dst []float32) error {
	c := buf.owner.call("read")
	buf.mu.Lock()
	defer buf.mu.Unlock()
	if buf.released {
		return c.Released("the buffer")
	}
	if err := c.Lengths("the buffer", buf.n, "dst", len(dst)); err != nil {
		return err
	}
	buf.owner.copy(buf, dst, buf.data)
	return nil
}

func (buf *buffer) Release() error {
	buf.mu.Lock()
	defer buf.mu.Unlock()
	if buf.released {
		return nil
	}
	buf.released = true
	b := buf.owner
	if buf.n > 0 {
		b.memory.put(buf.memory)
	}
	bytes := buf.bytes()
	buf.data, buf.memory = nil, nil
	b.mu.Lock()
	delete(b.live, buf)
	b.liveBytes -= bytes
	b.mu.Unlock()
	return nil
}
