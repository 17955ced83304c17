//go:build opencl && cgo

package gpu

import (
	"fmt"
	"math/bits"

	"github.com/gmind-go/compute/gpu/internal/opencl"
)

// A shape is how the elements are dealt out to work-items, and addressed.
type shape struct {
	width   int  // elements that a work-item does at once: 2, 4, 8 or 16
	vectors int  // how often it does
	group   int  // most work-items in a work-group
	aligned bool // every buffer begins at a multiple of a vector
	short   bool // elements are counted in 32 bits: a call has fewer than 2^31
}

// shapes has a shape for every type of device. CPU: one AVX-512 vector, so that
// the compiler need not join work-items, and few large groups, since each costs a
// lock. Others: what tuned libraries use on most GPUs (CLBlast's database of its kernel
// for axpy, PyTorch's elementwise kernels): 16 bytes at once and 8 elements for an item.
// Buffers are aligned there; a CPU works in slices of the caller too, which need not be.
var shapes = map[opencl.Type]shape{
	opencl.CPU:         {width: 16, vectors: 1, group: 1024},
	opencl.GPU:         {width: 4, vectors: 2, group: 128, aligned: true},
	opencl.Accelerator: {width: 4, vectors: 2, group: 128, aligned: true},
	opencl.Other:       {width: 4, vectors: 2, group: 128, aligned: true},
}

// shapeFor returns the shape for d.
func shapeFor(d *opencl.Device) shape {
	s := shapes[d.Type]
	s.group = min(s.group, d.MaxGroup)
	s.short = d.Type != opencl.CPU && d.MaxAlloc/4 < 1<<31
	return s
}

// count returns n as the kernels take it.
func (s shape) count(n int) any {
	if s.short {
		return uint32(n)
	}
	return uint64(n)
}

// masked returns the shape for kernels with a mask. An item that writes bits writes
// whole bytes of them, since no other may write to those: 8 elements are the least
// that it does at once, in place of several vectors if there are some.
func (s shape) masked() shape {
	width := max(s.width, 8)
	s.vectors = max(s.vectors*s.width/width, 1)
	s.width = width
	return s
}

// narrow returns the shape in which a kernel needs the fewest registers.
func (s shape) narrow() shape {
	s.width, s.vectors = 2, 1
	return s
}

// defines returns what a program in this shape begins with: see kernels.Prelude.
func (s shape) defines() string {
	text := fmt.Sprintf("#define WIDTH %d\n#define VECTORS %d\n", s.width, s.vectors)
	if s.aligned {
		text += "#define ALIGNED\n"
	}
	if s.short {
		return text + "#define INDEX uint\n"
	}
	return text + "#define INDEX ulong\n"
}

// items returns the number of work-items, a multiple of the group, for n elements.
func (s shape) items(n int) int {
	perGroup := s.group * s.width * s.vectors
	groups := n / perGroup
	if n%perGroup > 0 {
		groups++
	}
	return groups * s.group
}

// powerOfTwo returns the greatest power of two that is no more than n, at least 1.
func powerOfTwo(n int) int { return 1 << (bits.Len(uint(n)) - 1) }

// ceil returns n/by, rounded up.
func ceil(n, by int) int { return (n-1)/by + 1 }
