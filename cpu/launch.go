package cpu

import (
	"slices"
	"unsafe"

	program "github.com/gmind-go/compute/internal/kernel"
)

// launch computes c, which is no plan. The arguments in f have the operands and the number of
// elements, at least one. It clears the pointers.
func (d *device) launch(c *code, f *frame, params []uint32) {
	d.compute(c, f, params, d.nonTemporal(c, &f.args))
}

// compute is launch with the non-temporal kernel, or nil.
func (d *device) compute(c *code, f *frame, params []uint32, nonTemporal kernel) {
	n := f.args.n
	if nonTemporal == nil && d.short(c, params, n) {
		c.plain(&f.args)
	} else {
		j := newJob(c, nonTemporal, &f.args, nil, d.cost(c, params))
		d.pool.do(&j, f)
	}
	f.args.forget()
}

// launchPlan computes a plan of c. The call in f has the operands, the number of elements, at
// least one, and the parameters. It clears the call.
func (d *device) launchPlan(c *code, f *frame) {
	r := &f.tiles.call
	r.plan = c.plan(r.operands)
	r.fetch = int64(r.n)*int64(c.bits) > 8*fetchBytes
	r.past = d.past(c, r)
	if d.short(c, r.params, r.n) {
		f.tiles.begin(&f.args, r)
		f.tiles.run(&f.args, r, 0, r.n)
		f.tiles.end(r)
		f.args.forget()
	} else {
		j := newJob(c, nil, nil, r, d.cost(c, r.params))
		d.pool.do(&j, f)
	}
	clear(r.operands)
	*r = call{operands: r.operands[:0]}
}

// fetchBytes is what a call moves at least if it fetches tiles ahead: less is in a near cache.
const fetchBytes = 256 << 10

// short reports whether one core computes n elements at once.
func (d *device) short(c *code, params []uint32, n int) bool {
	return n < costUnit || d.cost(c, params).time(n) < 2*worthCore
}

// nonTemporal returns the kernel with non-temporal stores for a call, or nil to store
// through the caches: if these keep what the call moves; in place, where the lines of the
// result have just been read; or if no number of elements aligns the results, as a job needs it.
func (d *device) nonTemporal(c *code, a *args) kernel {
	if c.nonTemporal == nil || int64(a.n)*int64(c.bits) <= 8*int64(d.cache) {
		return nil
	}
	// A single result is aligned by some number of elements, unless a cast has put it at an odd
	// address. Several, and words of masks, have to be aligned from the first element on.
	align := uintptr(4)
	if c.results > 1 || slices.Contains(c.operands, program.Bit) {
		align = 64
	}
	for i, result := range a.ptr[:c.results] {
		if c.operands[i] == program.Element && uintptr(result)%align != 0 {
			return nil
		}
		for _, input := range a.ptr[c.results:len(c.operands)] {
			if result == input {
				return nil
			}
		}
	}
	return c.nonTemporal
}

// past returns which results of a plan are stored past the caches: those that are large, are not
// in place of an input, and begin with a line.
func (d *device) past(c *code, r *call) (past uint32) {
	if d.set.store == nil || int64(r.n)*int64(c.bits) <= 8*int64(d.cache) {
		return 0
	}
	for i, result := range r.operands[:c.results] {
		inPlace := func(input program.Operand[unsafe.Pointer]) bool { return input.Memory == result.Memory }
		if c.operands[i] == program.Element && uintptr(result.Memory)%64 == 0 && !slices.ContainsFunc(r.operands[c.results:], inPlace) {
			past |= 1 << i
		}
	}
	return past
}
