//go:build opencl && cgo

package gpu

import (
	"errors"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/check"
)

// Profile counts what work starts by the clock of the device: see form.Profiler. All
// goes through a queue that was made for it meanwhile. Its error is that of work,
// unless the device fails, which weighs more.
func (b *backend) Profile(work func() error) (ns []float64, err error) {
	c := b.call("profile")
	usual, err := b.startProfile(c)
	if err != nil {
		return nil, err
	}
	defer func() { // if work panics, too
		times, late := b.endProfile(c, usual)
		if err = worst([]error{err, late}); !errors.Is(err, compute.ErrDevice) {
			ns = times
		}
	}()
	return nil, work()
}

// startProfile puts a profiled queue in the place of the usual one, which it returns.
func (b *backend) startProfile(c check.Call) (usual *opencl.Queue, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.usable(c); err != nil {
		return nil, err
	}
	var profiled *opencl.Queue
	if err = b.queue.Wait(); err == nil {
		err = b.withMemory(func() (err error) {
			profiled, err = b.context.NewProfiledQueue()
			return err
		})
	}
	if err != nil {
		return nil, b.result(c, 0, err)
	}
	usual, b.queue = b.queue, profiled
	return usual, nil
}

// endProfile puts the usual queue in its place again, and returns the times of the
// profiled one.
func (b *backend) endProfile(c check.Call, usual *opencl.Queue) (ns []float64, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed { // Close closes the queue at hand
		return nil, worst([]error{b.result(c, 0, usual.Close()), c.Closed()})
	}
	profiled := b.queue
	b.queue = usual
	if err := profiled.Close(); err != nil {
		return nil, b.result(c, 0, err)
	}
	return profiled.Times(), nil
}
