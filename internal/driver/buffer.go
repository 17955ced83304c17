package driver

import (
	"errors"
	"fmt"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// A store is what a buffer and its views share, or what a mask has.
type store struct {
	id    uint64 // order of locking
	bytes int64

	mu     sync.Mutex // guards what follows, the contents, and the memory that has it
	device Memory     // nil for 0 elements
	users  int        // buffers that were not released
}

// memory is a buffer or a mask, or a view of a buffer.
type memory struct {
	*store
	owner  *Backend
	isMask bool
	isView bool
	from   int // the first element in the store
	n      int // elements, or bits

	device   Memory // nil for 0 elements
	released bool
	launch   *launch // of calls of forms with m as the first operand
}

// A buffer implements compute.Buffer, and a mask compute.Mask.
type (
	buffer struct{ memory }
	mask   struct{ memory }
)

// Alloc implements compute.Backend.
func (b *Backend) Alloc(n int) (compute.Buffer, error) { return b.newBuffer("alloc", n, nil) }

// Upload implements compute.Backend.
func (b *Backend) Upload(src []float32) (compute.Buffer, error) {
	return b.newBuffer("upload", len(src), src)
}

// newBuffer returns a buffer of n elements, with those of src unless it is empty.
func (b *Backend) newBuffer(op string, n int, src []float32) (compute.Buffer, error) {
	buf := &buffer{memory{store: &store{bytes: 4 * int64(n)}, owner: b, n: n}}
	if err := buf.hold(op, src); err != nil {
		return nil, err
	}
	return buf, nil
}

// AllocMask implements compute.Backend.
func (b *Backend) AllocMask(n int) (compute.Mask, error) {
	m := &mask{memory{store: &store{bytes: 8 * int64(form.MaskWords(n))}, owner: b, isMask: true, n: n}}
	if err := m.hold("alloc mask", nil); err != nil {
		return nil, err
	}
	return m, nil
}

// hold gets the memory from the device, writes src to it unless that is empty, and counts
// it as live.
func (m *memory) hold(op string, src []float32) error {
	b := m.owner
	if err := b.enter(op); err != nil {
		return err
	}
	defer b.calls.RUnlock()
	if err := b.usable(op); err != nil {
		return err
	}
	if err := b.call(op).size(m.n); err != nil {
		return err
	}
	if m.n > 0 {
		var err error
		if m.device, err = b.device.Alloc(m.n, m.isMask); err != nil {
			return b.failed(op, m.size(), err)
		}
		if len(src) > 0 {
			if err := b.device.Write(m.device, src); err != nil {
				b.device.Free(m.device) // whose error would hide the first
				return b.failed(op, m.size(), err)
			}
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() { // meanwhile: Close knows nothing of m
		if m.device != nil {
			b.device.Free(m.device)
		}
		return b.call(op).closed()
	}
	b.lastID++
	m.id, m.users, m.store.device = b.lastID, 1, m.device
	b.live[m] = struct{}{}
	b.liveBytes += m.bytes
	return nil
}

// View implements compute.Buffer.
func (buf *buffer) View(from, to int) (compute.Buffer, error) {
	const op = "view"
	b := buf.owner
	buf.mu.Lock()
	defer buf.mu.Unlock()
	if err := buf.usable(op, "the buffer"); err != nil {
		return nil, err
	}
	if from < 0 || to < from || to > buf.n {
		return nil, b.call(op).fail(compute.ErrLength, "the elements from %d to %d of %d; give 0 <= from <= to <= %d", from, to, buf.n, buf.n)
	}
	v := &buffer{memory{store: buf.store, owner: b, isView: true, from: buf.from + from, n: to - from}}
	if v.n > 0 {
		var err error
		if v.device, err = b.device.View(buf.store.device, v.from, v.n); err != nil {
			return nil, b.failed(op, v.size(), err)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed.Load() { // meanwhile: Close knows nothing of v
		if v.device != nil {
			b.device.Free(v.device)
		}
		return nil, b.call(op).closed()
	}
	v.users++
	b.live[&v.memory] = struct{}{}
	return v, nil
}

// overlaps reports whether m and other share an element, or are the same.
func (m *memory) overlaps(other *memory) bool {
	return m == other || m.store == other.store && m.n > 0 && other.n > 0 && m.from < other.from+other.n && other.from < m.from+m.n
}

// size returns the size of m, for errors.
func (m *memory) size() string {
	if m.isMask {
		return fmt.Sprintf("%d bits, %d bytes", m.n, m.bytes)
	}
	return fmt.Sprintf("%d elements, %d bytes", m.n, 4*m.n)
}

// Len implements compute.Buffer and compute.Mask.
func (m *memory) Len() int { return m.n }

// Write implements compute.Buffer.
func (buf *buffer) Write(src []float32) error {
	return buf.transfer("write", "src", src, Device.Write)
}

// Read implements compute.Buffer.
func (buf *buffer) Read(dst []float32) error {
	return buf.transfer("read", "dst", dst, Device.Read)
}

func (buf *buffer) transfer(op, name string, host []float32, move func(Device, Memory, []float32) error) error {
	b := buf.owner
	buf.mu.Lock()
	defer buf.mu.Unlock()
	if err := buf.usable(op, "the buffer"); err != nil {
		return err
	}
	if err := b.call(op).lengths("the buffer", buf.n, name, len(host)); err != nil || buf.n == 0 {
		return err
	}
	if err := move(b.device, buf.device, host); err != nil {
		return b.failed(op, buf.size(), err)
	}
	return nil
}

// WriteAt implements compute.Buffer.
func (buf *buffer) WriteAt(src []float32, from int) error {
	return buf.transferAt("write at", "src", src, from, Device.Write)
}

// ReadAt implements compute.Buffer.
func (buf *buffer) ReadAt(dst []float32, from int) error {
	return buf.transferAt("read at", "dst", dst, from, Device.Read)
}

func (buf *buffer) transferAt(op, name string, host []float32, from int, move func(Device, Memory, []float32) error) error {
	b := buf.owner
	buf.mu.Lock()
	defer buf.mu.Unlock()
	if err := buf.usable(op, "the buffer"); err != nil {
		return err
	}
	if n := len(host); from < 0 || from > buf.n || n > buf.n-from {
		return b.call(op).fail(compute.ErrLength, "%s has %d elements, which are not in the buffer, of %d, from the index %d on; give a part of it", name, n, buf.n, from)
	}
	if len(host) == 0 {
		return nil
	}
	part, err := b.device.View(buf.store.device, buf.from+from, len(host))
	if err == nil {
		err = move(b.device, part, host)
		if freed := b.device.Free(part); err == nil {
			err = freed
		}
	}
	if err != nil {
		return b.failed(op, fmt.Sprintf("%d elements of %s", len(host), buf.size()), err)
	}
	return nil
}

// Read implements compute.Mask.
func (m *mask) Read(dst []uint64) error {
	b := m.owner
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.usable("read", "the mask"); err != nil {
		return err
	}
	if need := form.MaskWords(m.n); len(dst) != need {
		return b.call("read").fail(compute.ErrLength, "the mask has %d bits, in %d words, and dst has %d words; they must be the same number", m.n, need, len(dst))
	}
	if m.n == 0 {
		return nil
	}
	if err := b.device.ReadMask(m.device, dst); err != nil {
		return b.failed("read", m.size(), err)
	}
	if rest := m.n % 64; rest > 0 {
		dst[len(dst)-1] &= 1<<rest - 1
	}
	return nil
}

// usable returns why op cannot be called on m, which errors call name, or nil. The lock of
// m is held.
func (m *memory) usable(op, name string) error {
	if err := m.owner.usable(op); err != nil {
		return err
	}
	if m.released {
		return m.owner.call(op).released(name)
	}
	return nil
}

// Release implements compute.Buffer and compute.Mask.
func (m *memory) Release() error {
	if err := m.release(); err != nil {
		return m.owner.failed("release", m.size(), err)
	}
	return nil
}

// release gives the memory back to the device, once, when no other buffer has it.
func (m *memory) release() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.released {
		return nil
	}
	m.released = true
	m.users--
	b := m.owner
	var errs []error
	if m.isView && m.device != nil {
		errs = append(errs, b.device.Free(m.device))
	}
	m.device = nil
	if m.users == 0 && m.store.device != nil {
		errs = append(errs, b.device.Free(m.store.device))
		m.store.device = nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.live, m)
	if m.users == 0 {
		b.liveBytes -= m.bytes
	}
	return errors.Join(errs...)
}

// MemoryOf returns what the device has of buf, a live buffer of a Backend. Tests look into
// it.
func MemoryOf(buf compute.Buffer) Memory { return buf.(*buffer).device }
