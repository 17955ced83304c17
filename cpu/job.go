package cpu

import (
	"sync/atomic"
	"unsafe"
)

// A job is one kernel over slices of equal length. Exactly one of unary, backward
// and copy is set.
type job struct {
	unary    unaryKernel
	backward backwardKernel
	copy     func(dst, x []float32)

	dst, dy, x []float32
	slope      float32

	// past is the same kernel with stores past the caches, or none of it is set.
	past struct {
		unary    unaryKernel
		backward backwardKernel
		copy     func(dst, x []float32)
	}
}

func copyThrough(dst, x []float32) { copy(dst, x) }

// chunk is the most elements that one call of a kernel gets. Assembly cannot be
// interrupted, and the garbage collector waits for it: a chunk takes some
// microseconds, tens where the memory is slow.
const chunk = 16 << 10

// run does the elements from lo to hi, at most a chunk.
func (j *job) run(lo, hi int) {
	if j.past.unary == nil && j.past.backward == nil && j.past.copy == nil {
		j.through(lo, hi)
		return
	}
	// Stores past the caches take whole blocks from an aligned place on.
	const elements = 64 / 4
	head := int(-uintptr(unsafe.Pointer(&j.dst[lo]))/4) & (elements - 1)
	from := min(lo+head, hi)
	to := from + (hi-from)&^(pastBlock-1)
	if lo < from {
		j.through(lo, from)
	}
	if from < to {
		dst, x := j.dst[from:to], j.x[from:to]
		switch {
		case j.past.unary != nil:
			j.past.unary(dst, x, j.slope)
		case j.past.backward != nil:
			j.past.backward(dst, j.dy[from:to], x, j.slope)
		default:
			j.past.copy(dst, x)
		}
	}
	if to < hi {
		j.through(to, hi)
	}
}

// through does the elements from lo to hi with plain stores.
func (j *job) through(lo, hi int) {
	dst, x := j.dst[lo:hi], j.x[lo:hi]
	switch {
	case j.unary != nil:
		j.unary(dst, x, j.slope)
	case j.backward != nil:
		j.backward(dst, j.dy[lo:hi], x, j.slope)
	default:
		j.copy(dst, x)
	}
}

// from returns the job without the elements before lo.
func (j *job) from(lo int) job {
	rest := *j
	rest.dst, rest.x = j.dst[lo:], j.x[lo:]
	if j.dy != nil {
		rest.dy = j.dy[lo:]
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
