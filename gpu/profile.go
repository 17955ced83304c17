//go:build opencl && cgo

package gpu

import (
	"errors"
	"fmt"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
)

var errClosed = fmt.Errorf("the backend was closed; open another: %w", compute.ErrClosed)

// Profile measures what work starts by the clock of the device: see form.Profiler. All
// goes through a queue that was made for it meanwhile. Its error is that of work, unless
// the device fails.
func (d *device) Profile(work func() error) (ns []float64, err error) {
	usual, err := d.startProfile()
	if err != nil {
		return nil, err
	}
	defer func() { // if work panics, too
		times, late := d.endProfile(usual)
		if err = worst([]error{err, late}); !errors.Is(err, compute.ErrDevice) {
			ns = times
		}
	}()
	return nil, work()
}

// startProfile puts a profiled queue in the place of the usual one, which it returns.
func (d *device) startProfile() (usual *opencl.Queue, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, errClosed
	}
	if err := d.queue.Wait(); err != nil {
		return nil, err
	}
	err = d.withMemory(func() error {
		profiled, err := d.context.NewProfiledQueue()
		if err == nil {
			usual, d.queue = d.queue, profiled
		}
		return err
	})
	return usual, err
}

// endProfile puts the usual queue in its place again, and returns the times of the
// profiled one.
func (d *device) endProfile(usual *opencl.Queue) (ns []float64, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed { // Close closes the queue at hand
		return nil, worst([]error{usual.Close(), errClosed})
	}
	profiled := d.queue
	d.queue = usual
	if err := profiled.Close(); err != nil {
		return nil, err
	}
	return profiled.Times(), nil
}
