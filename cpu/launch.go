package cpu

import (
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// launch computes fm of f. a has the operands and the number of elements, at least one. It
// is on the heap, since it escapes, and nothing else uses it; launch clears the pointers.
func (d *device) launch(fm form.Form, f compute.Activation, a *args) {
	d.compute(fm, f, a, d.nonTemporal(fm, f, a))
}

// compute is launch with the non-temporal kernel, or nil.
func (d *device) compute(fm form.Form, f compute.Activation, a *args, nonTemporal kernel) {
	a.params = f.Params
	k := d.set.plain[f.Kind][fm]
	if nonTemporal == nil && (a.n < costUnit || d.cost(fm, f).time(a.n) < 2*worthCore) {
		k(a)
	} else {
		j := newJob(fm, k, nonTemporal, d.cost(fm, f), a)
		d.pool.do(&j, a)
	}
	a.ptr = [4]unsafe.Pointer{} // keep nobody's memory
}

// nonTemporal returns the kernel with non-temporal stores for a call, or nil to store
// through the caches: if these keep what the call moves; in place, where the lines of the
// result have just been read; or if a cast has put a result at an odd address, which no
// number of elements aligns.
func (d *device) nonTemporal(fm form.Form, f compute.Activation, a *args) kernel {
	if d.set.nonTemporal == nil || int64(a.n)*int64(fm.Bits()) <= 8*int64(d.cache) {
		return nil
	}
	results := len(fm.Results())
	for _, result := range a.ptr[:results] {
		if uintptr(result)%4 != 0 {
			return nil
		}
		for _, input := range a.ptr[results:len(fm.Operands())] {
			if result == input {
				return nil
			}
		}
	}
	return d.set.nonTemporal[f.Kind][fm]
}
