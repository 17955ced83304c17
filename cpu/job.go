package cpu

import (
	"sync/atomic"
	"unsafe"
)

// A job is one run of a code on all its elements, or a task.
type job struct {
	code        *code
	n           int
	call        *call  // of a plan, or nil
	task        task   // or nil: what computes instead
	nonTemporal kernel // or nil, to store through the caches
	args        args   // with all elements; not of a plan
	cost, cold  cost   // with the data in a near cache, and in none
	chunk       int    // the most elements that run computes
}

// A task is a job of its own kind, whose elements are anything that goroutines can share: run
// computes those from lo to hi, with a frame that has begun the job.
type task interface{ run(f *frame, lo, hi int) }

// newJob returns a job on all elements of a, or of a call of a plan.
func newJob(c *code, nonTemporal kernel, a *args, run *call, co cost) job {
	j := job{code: c, call: run, nonTemporal: nonTemporal, cost: co, cold: max(co, moving(c.bits, memorySpeed)), chunk: co.chunk()}
	if run == nil {
		j.n, j.args = a.n, *a
		return j
	}
	j.n = run.n
	if p := run.plan; p.tile != allInOne { // Go can interrupt it between instructions
		j.chunk = max(j.chunk, p.tile)
	}
	return j
}

// unit returns what the shares of a job, but the last, are multiples of: whole cache lines of
// a buffer and words of a mask.
func (j *job) unit() int {
	if j.task != nil {
		return 1
	}
	return blockSize
}

// part returns the arguments for the elements from lo to hi. With a mask, lo is a multiple
// of 64.
func (j *job) part(lo, hi int) args {
	a := j.args
	for i, address := range j.code.operands {
		a.ptr[i&3] = unsafe.Add(a.ptr[i&3], offset(address, lo))
	}
	a.n = hi - lo
	return a
}

// run computes the elements from lo to hi, at most a chunk, with f, which has begun the job.
func (j *job) run(f *frame, lo, hi int) {
	if j.task != nil {
		j.task.run(f, lo, hi)
		return
	}
	if j.call != nil {
		f.tiles.run(&f.args, j.call, lo, hi)
		return
	}
	from, to := hi, hi // of the non-temporal stores
	if j.nonTemporal != nil {
		// They take whole blocks from an aligned element on. With a mask or a second result
		// all results are aligned: from is lo, and words stay whole.
		const line = 64 / 4
		from = min(lo+int(-uintptr(j.args.ptr[0])/4-uintptr(lo))&(line-1), hi)
		to = from + (hi-from)&^(blockSize-1)
	}
	j.apply(j.code.plain, &f.args, lo, from)
	j.apply(j.nonTemporal, &f.args, from, to)
	j.apply(j.code.plain, &f.args, to, hi)
}

// apply calls k for the elements from lo to hi, if there are any.
func (j *job) apply(k kernel, a *args, lo, hi int) {
	if lo < hi {
		*a = j.part(lo, hi)
		k(a)
	}
}

// runAlone computes the elements from lo on.
func (j *job) runAlone(f *frame, lo int) {
	for ; lo < j.n; lo += j.chunk {
		j.run(f, lo, min(lo+j.chunk, j.n))
	}
}

// A share is the part of a job that one core computes first. Any core may take chunks of
// it, so that none waits for one that comes late.
type share struct {
	next atomic.Int64 // first element that nobody has taken
	end  int
	_    [48]byte // a cache line, since all cores write to it
}

// work computes chunks of the job with f until none are left, first those of shares[own].
func (j *job) work(shares []share, own int, f *frame) {
	for i := range shares {
		s := &shares[(own+i)%len(shares)]
		for {
			lo := int(s.next.Add(int64(j.chunk))) - j.chunk
			if lo >= s.end {
				break
			}
			j.run(f, lo, min(lo+j.chunk, s.end))
		}
	}
}
