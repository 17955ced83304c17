package cpu

import (
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/internal/form"
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

func (b *backend) ForwardMask(f compute.Activation, y compute.Buffer, m compute.Mask, x compute.Buffer) error {
	var o operands
	if err := o.begin(b, form.ForwardMask, f, y, m, x); err != nil {
		return err
	}
	defer o.unlock()
	k := b.row.kernels[f.Kind].forwardMask
	dst, words, src := o.data(0), o.words(1), o.data(2)
	past := b.pastCaches(form.ForwardMask.Bits(), dst, src, nil)
	if len(src) < 2*minShare && !past {
		k(dst, words, src, f.NegativeSlope)
		return nil
	}
	j := job{loop: loop{forwardMask: k}, dst: dst, mask: words, x: src, slope: f.NegativeSlope}
	if past {
		j.past.forwardMask = b.row.past[f.Kind].forwardMask
	}
	b.pool.do(&j)
	return nil
}

func (b *backend) BackwardMask(f compute.Activation, dx, dy compute.Buffer, m compute.Mask) error {
	var o operands
	if err := o.begin(b, form.BackwardMask, f, dx, dy, m); err != nil {
		return err
	}
	defer o.unlock()
	k := b.row.kernels[f.Kind].backwardMask
	dst, grad, words := o.data(0), o.data(1), o.words(2)
	past := b.pastCaches(form.BackwardMask.Bits(), dst, grad, nil)
	if len(grad) < 2*minShare && !past {
		k(dst, grad, words, f.NegativeSlope)
		return nil
	}
	j := job{loop: loop{backwardMask: k}, dst: dst, x: grad, mask: words, slope: f.NegativeSlope}
	if past {
		j.past.backwardMask = b.row.past[f.Kind].backwardMask
	}
	b.pool.do(&j)
	return nil
}

func (b *backend) ForwardDerivative(f compute.Activation, y, d, x compute.Buffer) error {
	var o operands
	if err := o.begin(b, form.ForwardDerivative, f, y, d, x); err != nil {
		return err
	}
	defer o.unlock()
	k := b.row.kernels[f.Kind].forwardDerivative
	dst, second, src := o.data(0), o.data(1), o.data(2)
	// Either result over x keeps both in the caches: one kernel stores in one way.
	bits := form.ForwardDerivative.Bits()
	past := b.pastCaches(bits, dst, src, nil) && b.pastCaches(bits, second, src, nil)
	if len(src) < 2*minShare && !past {
		k(dst, second, src, f.NegativeSlope)
		return nil
	}
	j := job{loop: loop{forwardDerivative: k}, dst: dst, d: second, x: src, slope: f.NegativeSlope}
	if past {
		j.past.forwardDerivative = b.row.past[f.Kind].forwardDerivative
	}
	b.pool.do(&j)
	return nil
}
