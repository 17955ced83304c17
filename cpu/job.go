package cpu

import (
	"sync/atomic"
	"unsafe"

	"github.com/gmind-go/compute/internal/form"
)

// A job is one call.
type job struct {
	form        form.Form
	plain       kernel
	nonTemporal kernel // or nil, to store through the caches
	args        args   // with all elements
	cost, cold  cost   // with the data in a near cache, and in none
	chunk       int    // the most elements that one call of a kernel computes
}

// newJob returns a job on all elements of a.
func newJob(fm form.Form, plain, nonTemporal kernel, c cost, a *args) job {
	return job{fm, plain, nonTemporal, *a, c, max(c, moving(fm, memorySpeed)), c.chunk()}
}

// part returns the arguments for the elements from lo to hi. With a mask, lo is a multiple
// of 64.
func (j *job) part(lo, hi int) args {
	a := j.args
	for i, o := range j.form.Operands() {
		a.ptr[i] = unsafe.Add(a.ptr[i], o.Bytes(lo))
	}
	a.n = hi - lo
	return a
}

// run computes the elements from lo to hi, at most a chunk. It calls kernels with a.
func (j *job) run(a *args, lo, hi int) {
	from, to := hi, hi // of the non-temporal stores
	if j.nonTemporal != nil {
		// They take whole blocks from an aligned element on. A mask or a second result is
		// in a buffer, and so are all results then, which are aligned: from is lo, and words
		// stay whole.
		const line = 64 / 4
		from = min(lo+int(-uintptr(j.args.ptr[0])/4-uintptr(lo))&(line-1), hi)
		to = from + (hi-from)&^(blockSize-1)
	}
	j.call(j.plain, a, lo, from)
	j.call(j.nonTemporal, a, from, to)
	j.call(j.plain, a, to, hi)
}

// call calls k for the elements from lo to hi, if there are any.
func (j *job) call(k kernel, a *args, lo, hi int) {
	if lo < hi {
		*a = j.part(lo, hi)
		k(a)
	}
}

// runAlone computes the elements from lo on.
func (j *job) runAlone(a *args, lo int) {
	for ; lo < j.args.n; lo += j.chunk {
		j.run(a, lo, min(lo+j.chunk, j.args.n))
	}
}

// A share is the part of a job that one core computes first. Any core may take chunks of
// it, so that none waits for one that comes late.
type share struct {
	next atomic.Int64 // first element that nobody has taken
	end  int
	_    [48]byte // a cache line, since all cores write to it

	args args // of the core
	_    [64 - unsafe.Sizeof(args{})]byte
}

// work computes chunks of the job until none are left, first those of shares[own].
func (j *job) work(shares []share, own int) {
	for i := range shares {
		s := &shares[(own+i)%len(shares)]
		for {
			lo := int(s.next.Add(int64(j.chunk))) - j.chunk
			if lo >= s.end {
				break
			}
			j.run(&shares[own].args, lo, min(lo+j.chunk, s.end))
		}
	}
}
