//go:build opencl && cgo

package gpu

import (
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// mask is memory of the device whose bit i%8 of byte i/8 stands for element i. On a
// host that is little-endian, as all are that this package is built for, bit i%64
// of word i/64 is the same. Kernels write no byte behind that of the last element.
type mask struct{ memory }

func (b *backend) AllocMask(n int) (compute.Mask, error) {
	c := b.call("alloc mask")
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.usable(c); err != nil {
		return nil, err
	}
	if err := c.Size(n); err != nil {
		return nil, err
	}
	m := &mask{memory{owner: b, n: n, size: 2 * check.Words(n)}}
	if err := m.hold(c); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *mask) Read(dst []uint64) error {
	b := m.owner
	c := b.call("read")
	b.mu.Lock()
	defer b.mu.Unlock()
	m.awaitTurn()
	if err := b.usable(c); err != nil {
		return err
	}
	if m.released {
		return c.Released("the mask")
	}
	if err := c.MaskWords(m.n, len(dst)); err != nil {
		return err
	}
	if m.n == 0 {
		return nil
	}
	// Only moved, never computed with, so any bits survive as float32.
	bits := unsafe.Slice((*float32)(unsafe.Pointer(&dst[0])), m.size)
	if err := b.result(c, m.size, b.read(&m.memory, bits)); err != nil {
		return err
	}
	if rest := m.n % 64; rest > 0 { // kernels leave what is behind it as it was
		dst[len(dst)-1] &= 1<<rest - 1
	}
	return nil
}
