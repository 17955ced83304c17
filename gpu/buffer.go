//go:build opencl && cgo

package gpu

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/check"
)

// memory is memory of the device that a caller holds, as a buffer or a mask.
type memory struct {
	owner *backend
	n     int         // elements: of a mask, bits
	size  int         // of the memory, in float32 elements
	mem   *opencl.Mem // nil if size is 0

	// Guarded by the lock of owner:
	released bool
	moving   bool // lanes copy it; calls on it wait until that is done
	waiting  int  // such calls, which come before further transfers
}

type buffer struct{ memory }

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
	if err := c.Size(n); err != nil {
		return nil, err
	}
	buf := &buffer{memory{owner: b, n: n, size: n}}
	if err := buf.hold(c); err != nil {
		return nil, err
	}
	if len(src) > 0 {
		if err := b.result(c, n, b.write(&buf.memory, src)); err != nil {
			buf.release()
			return nil, err
		}
	}
	return buf, nil
}

// hold gets the memory, and counts it as live. The lock of the owner is held.
func (m *memory) hold(c check.Call) error {
	b := m.owner
	bytes := 4 * int64(m.size)
	if bytes > b.info.MaxAlloc {
		return c.Fail(compute.ErrOutOfMemory, "%d elements, %d bytes; the device takes %d bytes in one buffer; work in parts, or use Stream", m.n, bytes, b.info.MaxAlloc)
	}
	if m.size > 0 {
		if err := b.result(c, m.size, m.alloc()); err != nil {
			return err
		}
	}
	b.live[m] = struct{}{}
	b.liveBytes += bytes
	return nil
}

// alloc gets the memory from the device, or from the pool if that has some of its
// size. It is never more than asked for: memory of a device may be scarce, and what
// checks a kernel's accesses knows where the buffer ends.
func (m *memory) alloc() error {
	b := m.owner
	if kept, ok := b.pool.Get(m.size); ok {
		m.mem = kept
		return nil
	}
	err := b.withMemory(func() (err error) {
		m.mem, err = b.context.Alloc(4 * m.size)
		return err
	})
	if errors.Is(err, compute.ErrOutOfMemory) { // or a kernel failed: see Queue.enqueue
		err = worst([]error{b.queue.Wait(), err})
	}
	return err
}

func (m *memory) Len() int { return m.n }

// Owner and Released are for check.Operand. The lock of the owner is held.
func (m *memory) Owner() any     { return m.owner }
func (m *memory) Released() bool { return m.released }

// holder is a buffer or a mask.
type holder interface{ held() *memory }

func (m *memory) held() *memory { return m }

func (buf *buffer) Write(src []float32) error {
	return buf.transfer("write", "src", src, (*backend).write)
}

func (buf *buffer) Read(dst []float32) error {
	return buf.transfer("read", "dst", dst, (*backend).read)
}

func (buf *buffer) transfer(op, name string, host []float32, move func(*backend, *memory, []float32) error) error {
	b := buf.owner
	c := b.call(op)
	b.mu.Lock()
	defer b.mu.Unlock()
	buf.awaitTurn()
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
	return b.result(c, buf.n, move(b, &buf.memory, host))
}

// transferPart returns how many elements a lane moves at a time between the host
// and a device with memory of its own: 1 MiB by default, for which a fast bus takes some
// 40 µs, about as long as it takes to ask for a transfer and to wait for it. What is less is
// not worth being staged.
func (b *backend) transferPart() int { return max(b.part/2, 1) }

// mapFrom is the number of elements from which on memory that is shared may be mapped for
// a transfer, so that several cores copy. What is less is copied by one core either way,
// and the transfer of OpenCL is one command where a map is two.
const mapFrom = 2 * copyShare

// write copies src into m. The lock is held, but not while lanes copy.
func (b *backend) write(m *memory, src []float32) error {
	plain := func() error {
		return b.withMemory(func() error { return b.queue.Write(m.mem, 0, src) })
	}
	switch {
	case b.shared && len(src) >= mapFrom:
		return b.choose(&b.writes, len(src), [2]func() error{plain, func() error {
			return b.withMemory(func() error {
				return b.queue.Fill(m.mem, len(src), func(values []float32) { copyAll(values, src) })
			})
		}})
	case b.shared || len(src) <= b.transferPart():
		return plain()
	}
	err := b.move(m, len(src), func(l *lane, from, to int) error { return l.upload(m.mem, from, src[from:to]) })
	if errors.Is(err, compute.ErrOutOfMemory) && b.fault == nil { // for the staging
		return plain()
	}
	return err
}

// read copies m to dst. The lock is held, but not while lanes copy.
func (b *backend) read(m *memory, dst []float32) error {
	plain := func() error {
		return b.withMemory(func() error { return b.queue.Read(m.mem, 0, dst) })
	}
	switch {
	case b.shared && len(dst) >= mapFrom:
		return b.choose(&b.reads, len(dst), [2]func() error{plain, func() error {
			return b.withMemory(func() error {
				return b.queue.View(m.mem, len(dst), func(values []float32) { copyAll(dst, values) })
			})
		}})
	case b.shared || len(dst) <= b.transferPart():
		return plain()
	}
	err := b.move(m, len(dst), func(l *lane, from, to int) error { return l.download(dst[from:to], m.mem, from) })
	if errors.Is(err, compute.ErrOutOfMemory) && b.fault == nil { // for the staging
		return plain()
	}
	return err
}

// choose makes a transfer of n elements by one of the ways. The lock is held.
func (b *backend) choose(c *chooser, n int, ways [2]func() error) error {
	if !c.settled() { // so that no kernel is timed
		if err := b.queue.Wait(); err != nil {
			return err
		}
	}
	return c.do(n, ways)
}

// move makes lanes copy the n elements of m, in parts, when the kernels that use it are
// done. The lock is held, and given up meanwhile: calls on other buffers go on, those on m
// wait.
func (b *backend) move(m *memory, n int, part func(l *lane, from, to int) error) error {
	if err := b.queue.Wait(); err != nil {
		return err
	}
	m.moving = true
	b.moves++
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		m.moving = false
		b.moves--
		b.moved.Broadcast()
	}()
	return inParts(n, b.transferPart(), cap(b.lanes), func(from, to int) error {
		return b.withLane(context.Background(), func(l *lane) error { return part(l, from, to) })
	})
}

// await waits until lanes copy none of memories. Transfers that come later wait for it in
// turn: one after the other, they would keep it waiting for ever. The lock is held, and
// given up meanwhile.
func (b *backend) await(memories ...*memory) {
	for _, m := range memories {
		m.waiting++
	}
	for slices.ContainsFunc(memories, func(m *memory) bool { return m.moving }) {
		b.moved.Wait()
	}
	for _, m := range memories {
		m.waiting--
	}
	b.moved.Broadcast()
}

// awaitTurn is await for a transfer of m.
func (m *memory) awaitTurn() {
	for m.moving || m.waiting > 0 {
		m.owner.moved.Wait()
	}
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

func (m *memory) Release() error {
	m.owner.mu.Lock()
	defer m.owner.mu.Unlock()
	if m.moving {
		m.owner.await(m)
	}
	m.release()
	return nil
}

// release gives the memory to the pool, once. The lock of the owner is held. Who
// gets it from there uses it behind the commands that were enqueued before, and if
// it is freed OpenCL keeps it until they are done.
func (m *memory) release() {
	if m.released {
		return
	}
	m.released = true
	b := m.owner
	if m.mem != nil {
		b.pool.Put(m.size, m.mem)
	}
	delete(b.live, m)
	b.liveBytes -= 4 * int64(m.size)
}
