package cpu

import (
	"sync/atomic"
	"unsafe"
)

// A loop is one kernel. Exactly one of its fields is set.
type loop struct {
	unary             unaryKernel
	backward          backwardKernel
	copy              func(dst, x []float32)
	forwardMask       forwardMaskKernel
	backwardMask      backwardMaskKernel
	forwardDerivative forwardDerivativeKernel
}

// isSet tells whether there is a kernel.
func (l *loop) isSet() bool {
	return l.unary != nil || l.backward != nil || l.copy != nil ||
		l.forwardMask != nil || l.backwardMask != nil || l.forwardDerivative != nil
}

// do does the elements of j from lo to hi; with a mask, lo begins a word of it.
func (l *loop) do(j *job, lo, hi int) {
	dst, x := j.dst[lo:hi], j.x[lo:hi]
	switch {
	case l.unary != nil:
		l.unary(dst, x, j.slope)
	case l.backward != nil:
		l.backward(dst, j.dy[lo:hi], x, j.slope)
	case l.copy != nil:
		l.copy(dst, x)
	case l.forwardMask != nil:
		l.forwardMask(dst, j.mask[lo/64:(hi+63)/64], x, j.slope)
	case l.backwardMask != nil:
		l.backwardMask(dst, x, j.mask[lo/64:(hi+63)/64], j.slope)
	default:
		l.forwardDerivative(dst, j.d[lo:hi], x, j.slope)
	}
}

// A job is one kernel over slices of equal length.
type job struct {
	loop

	dst, dy, x []float32 // x is the dy of backwardMask
	d          []float32 // the second result of forwardDerivative
	mask       []uint64  // a word for 64 elements
	slope      float32

	past loop // the same kernel with stores past the caches, or none
}

func copyThrough(dst, x []float32) { copy(dst, x) }

// chunk is the most elements that one call of a kernel gets. Assembly cannot be
// interrupted, and the garbage collector waits for it: a chunk takes some
// microseconds, tens where the memory is slow. It is a multiple of 64, as the size
// of a share is, so that no two calls have bits in one word of a mask.
const chunk = 16 << 10

// run does the elements from lo to hi, at most a chunk.
func (j *job) run(lo, hi int) {
	if !j.past.isSet() {
		j.do(j, lo, hi)
		return
	}
	// Stores past the caches take whole blocks from an aligned place on. What has a
	// mask or a second result lies in buffers, which are aligned: its head is none, so
	// that words stay whole.
	const elements = 64 / 4
	head := int(-uintptr(unsafe.Pointer(&j.dst[lo]))/4) & (elements - 1)
	from := min(lo+head, hi)
	to := from + (hi-from)&^(pastBlock-1)
	if lo < from {
		j.do(j, lo, from)
	}
	if from < to {
		j.past.do(j, from, to)
	}
	if to < hi {
		j.do(j, to, hi)
	}
}

// from returns the job without the elements before lo, a multiple of 64.
func (j *job) from(lo int) job {
	rest := *j
	rest.dst, rest.x = j.dst[lo:], j.x[lo:]
	if j.dy != nil {
		rest.dy = j.dy[lo:]
	}
	if j.d != nil {
		rest.d = j.d[lo:]
	}
	if j.mask != nil {
		rest.mask = j.mask[lo/64:]
	}
	return rest
}

// runAlone does the whole job here.
func (j *job) runAlone() {
	for lo := 0; lo < len(j.x); lo += chunk {
		j.run(lo, min(lo+chunk, len(j.x)))
	}
}

// A share is a part of a job that one core does first. Any core may take chunks
// of it, so that none waits for one that comes late.
type share struct {
	next atomic.Int64 // first element that nobody has taken
	end  int
	_    [48]byte // a cache line for each, since all cores write to them
}

// work does chunks of the job until none are left, first those of shares[own].
func (j *job) work(shares []share, own int) {
	for i := range shares {
		s := &shares[(own+i)%len(shares)]
		for {
			lo := int(s.next.Add(chunk)) - chunk
			if lo >= s.end {
				break
			}
			j.run(lo, min(lo+chunk, s.end))
		}
	}
}
