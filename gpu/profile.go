//go:build opencl && cgo

package gpu

import (
	"errors"

	"github.com/gmind-go/compute/gpu/internal/opencl"
)

// Profile counts what work starts by the clock of the device: see ops.Profiler. All
// goes through a queue that was made for it meanwhile.
func (b *backend) Profile(work func() error) (ns []float64, err error) {
	c := b.call("profile")
	b.mu.Lock()
	if err := b.usable(c); err != nil {
		b.mu.Unlock()
		return nil, err
	}
	var profiled *opencl.Queue
	usual := b.queue
	if err = usual.Wait(); err == nil {
		profiled, err = b.context.NewProfiledQueue()
	}
	if err != nil {
		defer b.mu.Unlock()
		return nil, b.result(c, 0, err)
	}
	b.queue = profiled
	b.mu.Unlock()

	err = work()

	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed { // which closed the queue at hand
		return nil, errors.Join(err, usual.Close(), c.Closed())
	}
	late := profiled.Wait()
	ns = profiled.Times()
	b.queue = usual
	if late = worst([]error{late, profiled.Close()}); late != nil {
		late = b.result(c, 0, late)
	}
	return ns, errors.Join(err, late)
}
