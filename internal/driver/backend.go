package driver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// A Backend is the front of a Device. It implements compute.Backend, form.Copier and
// form.Profiler.
type Backend struct {
	device   Device
	name     string
	survivor Survivor // the device, or nil
	closed   atomic.Bool
	fault    atomic.Pointer[error] // the first ErrDevice: nothing can be trusted after it
	unsure   atomic.Bool           // whether any of these may make usable return an error

	// Calls without operands hold calls for reading, and calls with operands hold the locks
	// of these. Close takes all of them before it closes the device.
	calls sync.RWMutex

	mu        sync.Mutex // guards what follows; never held while another lock is waited for
	lastID    uint64
	live      map[*memory]struct{}
	liveBytes int64
}

// New returns the backend that computes on d.
func New(d Device) *Backend {
	b := &Backend{device: d, name: d.Info().Name, live: map[*memory]struct{}{}}
	b.survivor, _ = d.(Survivor)
	b.unsure.Store(b.survivor != nil)
	return b
}

// Device returns what b computes on.
func (b *Backend) Device() Device { return b.device }

// Info implements compute.Backend.
func (b *Backend) Info() compute.Info {
	info := b.device.Info()
	b.mu.Lock()
	defer b.mu.Unlock()
	info.LiveBuffers, info.LiveBytes = len(b.live), b.liveBytes
	return info
}

// Forward implements compute.Backend.
func (b *Backend) Forward(f compute.Activation, y, x compute.Buffer) error {
	return b.launch(form.Forward, f, y, x)
}

// Derivative implements compute.Backend.
func (b *Backend) Derivative(f compute.Activation, d, x compute.Buffer) error {
	return b.launch(form.Derivative, f, d, x)
}

// Backward implements compute.Backend.
func (b *Backend) Backward(f compute.Activation, dx, dy, x compute.Buffer) error {
	return b.launch(form.Backward, f, dx, dy, x)
}

// ForwardDerivative implements compute.Backend.
func (b *Backend) ForwardDerivative(f compute.Activation, y, d, x compute.Buffer) error {
	return b.launch(form.ForwardDerivative, f, y, d, x)
}

// ForwardMask implements compute.Backend.
func (b *Backend) ForwardMask(f compute.Activation, y compute.Buffer, m compute.Mask, x compute.Buffer) error {
	return b.launch(form.ForwardMask, f, y, m, x)
}

// BackwardMask implements compute.Backend.
func (b *Backend) BackwardMask(f compute.Activation, dx, dy compute.Buffer, m compute.Mask) error {
	return b.launch(form.BackwardMask, f, dx, dy, m)
}

// Copy sets dst to src, of the same length. It implements form.Copier.
func (b *Backend) Copy(dst, src compute.Buffer) error {
	return b.launch(form.Copy, compute.Activation{}, dst, src)
}

// launch computes fm of f on args, its operands.
func (b *Backend) launch(fm form.Form, f compute.Activation, args ...any) error {
	if b.unsure.Load() { // short calls notice the time of all else
		if err := b.usable(fm.String()); err != nil {
			return err
		}
	}
	if fm != form.Copy {
		if err := f.Validate(); err != nil {
			return b.call(fm.String()).wrap(err)
		}
	}
	var o operands
	if err := o.take(b, fm, args); err != nil {
		return err
	}
	defer o.unlock()
	n := o.all[0].n
	if n == 0 {
		return nil
	}
	if err := b.device.Launch(Kernel{fm, f}, n, o.memories()); err != nil {
		return b.result(fm.String(), n, err)
	}
	return nil
}

// Stream implements compute.Backend.
func (b *Backend) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	b.calls.RLock()
	defer b.calls.RUnlock()
	c := b.call("stream")
	if b.closed.Load() {
		return c.closed()
	}
	if b.survivor == nil {
		if err := b.usable(c.op); err != nil {
			return err
		}
	}
	if err := c.stream(ctx, op, f, dst, src); err != nil || len(src) == 0 {
		return err
	}
	err := b.device.Stream(ctx, Kernel{form.Of(op), f}, dst, src)
	if ended := Ended(ctx); ended != nil && errors.Is(err, ended) {
		return c.wrap(err)
	}
	return b.result(c.op, len(src), err)
}

// Sync implements compute.Backend.
func (b *Backend) Sync() error {
	b.calls.RLock()
	defer b.calls.RUnlock()
	if err := b.usable("sync"); err != nil {
		return err
	}
	return b.result("sync", 0, b.device.Sync())
}

// Trim gives back what the device keeps for calls to come. A fault that shows is returned
// by later calls.
func (b *Backend) Trim() {
	b.calls.RLock()
	defer b.calls.RUnlock()
	if d, ok := b.device.(Trimmer); ok && !b.closed.Load() {
		b.result("trim", 0, d.Trim())
	}
}

// Profile implements form.Profiler.
func (b *Backend) Profile(work func() error) (ns []float64, err error) {
	d, ok := b.device.(Profiler)
	if !ok {
		return nil, work()
	}
	if err := b.usable("profile"); err != nil {
		return nil, err
	}
	var own error
	ns, err = d.Profile(func() error {
		own = work()
		return own
	})
	if own != nil && !errors.Is(err, compute.ErrDevice) || errors.Is(own, compute.ErrDevice) {
		return ns, own
	}
	return ns, b.result("profile", 0, err)
}

// Close implements compute.Backend.
func (b *Backend) Close() error {
	b.mu.Lock()
	again := b.closed.Swap(true)
	b.unsure.Store(true)
	live := make([]*memory, 0, len(b.live))
	for m := range b.live {
		live = append(live, m)
	}
	b.mu.Unlock()
	var errs []error
	for _, m := range live {
		errs = append(errs, m.release()) // waits for the call that uses it
	}
	b.calls.Lock()
	defer b.calls.Unlock()
	if again {
		return nil
	}
	if errs = append(errs, b.device.Close()); b.fault.Load() != nil {
		return nil // the fault was reported when it happened
	}
	return b.result("close", 0, errors.Join(errs...))
}

func (b *Backend) call(op string) call { return call{op, b.name} }

// usable returns why op cannot be called, or nil.
func (b *Backend) usable(op string) error {
	if b.closed.Load() {
		return b.call(op).closed()
	}
	if b.survivor != nil {
		return b.call(op).wrap(b.survivor.Usable())
	}
	if fault := b.fault.Load(); fault != nil {
		return b.call(op).fail(compute.ErrDevice, "the device cannot be used since it failed (%s); Close it and open another", strings.TrimPrefix((*fault).Error(), "compute: "))
	}
	return nil
}

// result returns what op, on n float32 elements or 0 for none, reports of err, an error of
// the device or nil. The first fault is remembered.
func (b *Backend) result(op string, n int, err error) error {
	if err == nil {
		return nil
	}
	fault := errors.Is(err, compute.ErrDevice)
	switch {
	case errors.Is(err, compute.ErrOutOfMemory) && !fault:
		b.mu.Lock()
		bytes, buffers := b.liveBytes, len(b.live)
		b.mu.Unlock()
		return b.call(op).wrap(fmt.Errorf("%d bytes, with %d bytes in %d live buffers: %w; release some or work in parts", 4*int64(n), bytes, buffers, err))
	case n > 0:
		err = fmt.Errorf("%d elements: %w", n, err)
	}
	err = b.call(op).wrap(err)
	if fault && b.survivor == nil {
		first := err // its address would put err on the heap for every call
		b.fault.CompareAndSwap(nil, &first)
		b.unsure.Store(true)
	}
	return err
}
