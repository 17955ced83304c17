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
	untold   atomic.Bool           // Trim has seen it, and no call has returned it yet
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
	if b.unsure.Load() { // since a call for which this one waited
		if err := b.usable(fm.String()); err != nil {
			return err
		}
	}
	n := o.all[0].n
	if n == 0 {
		return nil
	}
	if err := b.device.Launch(Kernel{fm, f}, n, o.memories()); err != nil {
		return b.failed(fm.String(), elements(n), err)
	}
	return nil
}

// Stream implements compute.Backend.
func (b *Backend) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	c := b.call("stream")
	if err := b.enter(c.op); err != nil {
		return err
	}
	defer b.calls.RUnlock()
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
	if err != nil {
		return b.failed(c.op, elements(len(src)), err)
	}
	return nil
}

// Sync implements compute.Backend.
func (b *Backend) Sync() error {
	if err := b.enter("sync"); err != nil {
		return err
	}
	defer b.calls.RUnlock()
	if err := b.usable("sync"); err != nil {
		return err
	}
	return b.failed("sync", "", b.device.Sync())
}

// enter holds calls for reading, unless b is closed. It does not wait for Close, which waits
// for other calls.
func (b *Backend) enter(op string) error {
	if !b.closed.Load() {
		b.calls.RLock()
		if !b.closed.Load() {
			return nil
		}
		b.calls.RUnlock()
	}
	return b.call(op).closed()
}

// Trim frees the memory that the device keeps for later calls. The next call, or Close,
// returns a fault that shows.
func (b *Backend) Trim() {
	d, ok := b.device.(Trimmer)
	if !ok || b.enter("trim") != nil {
		return
	}
	defer b.calls.RUnlock()
	if b.fault.Load() != nil {
		return
	}
	b.failed("trim", "", d.Trim())
	b.untold.Store(b.fault.Load() != nil)
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
	return ns, b.failed("profile", "", err)
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
	errs = append(errs, b.device.Close())
	switch fault := b.fault.Load(); {
	case fault == nil:
		return b.failed("close", "", errors.Join(errs...))
	case b.untold.Load():
		return *fault
	}
	return nil // the fault was returned when it happened
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
		b.untold.Store(false)
		return b.call(op).fail(compute.ErrDevice, "the device cannot be used since it failed (%s); Close it and open another", strings.TrimPrefix((*fault).Error(), "compute: "))
	}
	return nil
}

// failed returns what op, on operands of a size or "" for none, reports of err, an error of
// the device or nil. The first fault is remembered.
func (b *Backend) failed(op, size string, err error) error {
	if err == nil {
		return nil
	}
	fault := errors.Is(err, compute.ErrDevice)
	switch {
	case size == "":
	case errors.Is(err, compute.ErrOutOfMemory) && !fault && b.survivor == nil && op != "stream":
		b.mu.Lock()
		bytes, buffers := b.liveBytes, len(b.live)
		b.mu.Unlock()
		err = fmt.Errorf("%s, with %d bytes in %d live buffers: %w; release some, work in parts, or use Stream", size, bytes, buffers, err)
	default:
		err = fmt.Errorf("%s: %w", size, err)
	}
	err = b.call(op).wrap(err)
	if fault && b.survivor == nil {
		first := err // its address would put err on the heap for every call
		b.fault.CompareAndSwap(nil, &first)
		b.unsure.Store(true)
	}
	return err
}

func elements(n int) string { return fmt.Sprintf("%d elements", n) }
