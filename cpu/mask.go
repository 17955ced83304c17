package cpu

import (
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// mask is bits in the memory of buffers. What bits holds of them lies behind the
// same lock as the elements of a buffer, and is counted and closed as they are.
type mask struct{ bits *buffer }

// asWords returns the memory of a mask as what it holds.
func asWords(data []float32) []uint64 {
	if len(data) == 0 {
		return nil
	}
	return unsafe.Slice((*uint64)(unsafe.Pointer(&data[0])), len(data)/2)
}

func (b *backend) AllocMask(n int) (compute.Mask, error) {
	c := b.call("alloc mask")
	bits, err := b.reserve(c, n, 2*check.Words(n))
	if err != nil {
		return nil, err
	}
	if words := asWords(bits.data); n > 0 {
		words[len(words)-1] = 0 // also behind the last bit, where kernels keep it so
	}
	if err := b.admit(c, bits); err != nil {
		return nil, err
	}
	return &mask{bits}, nil
}

func (m *mask) Len() int { return m.bits.n }

func (m *mask) Release() error { return m.bits.Release() }

func (m *mask) Read(dst []uint64) error {
	bits := m.bits
	c := bits.owner.call("read")
	bits.mu.Lock()
	defer bits.mu.Unlock()
	if bits.released {
		return c.Released("the mask")
	}
	if err := c.MaskWords(bits.n, len(dst)); err != nil {
		return err
	}
	copy(dst, asWords(bits.data))
	return nil
}
