package driver

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
)

// A Backend is the front of a Device. It implements compute.Linear and
// form.Profiler.
type Backend struct {
	device     Device
	name       string
	survivor   Survivor // the device, or nil
	closed     atomic.Bool
	fault      atomic.Pointer[error] // the first ErrDevice: nothing can be trusted after it
	untold     atomic.Bool           // Trim has seen it, and no call has returned it yet
	unsure     atomic.Bool           // whether any of these may make usable return an error
	forms      formCodes
	programs   cache
	reductions [compute.Mean + 1]cache // by compute.Reduction
	hosted     chan *launchOn[Host]    // that no call uses

	// Calls without operands hold calls for reading, and calls with operands hold the locks
	// of these. Close takes all of them before it closes the device.
	calls sync.RWMutex

	mu        sync.Mutex // guards what follows; never held while another lock is waited for
	lastID    uint64
	live      map[*memory]struct{}
	liveBytes int64
}

// maxHosted is how many calls on memory of the host a backend keeps for later ones.
const maxHosted = 4

// New returns the backend that computes on d.
func New(d Device) *Backend {
	b := &Backend{device: d, name: d.Info().Name, live: map[*memory]struct{}{}, forms: make(formCodes, len(function.All())+1), hosted: make(chan *launchOn[Host], maxHosted)}
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

// Peak implements form.Peaker. It returns 0 if the device has no measure.
func (b *Backend) Peak() (flop float64, err error) {
	d, ok := b.device.(Peaker)
	if !ok {
		return 0, nil
	}
	if err := b.enter("peak"); err != nil {
		return 0, err
	}
	defer b.calls.RUnlock()
	if err := b.usable("peak"); err != nil {
		return 0, err
	}
	flop, err = d.Peak()
	return flop, b.failed("peak", "", err)
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
	hosted := strings.HasPrefix(op, "stream") || strings.HasPrefix(op, "run slices")
	switch {
	case size == "":
	case errors.Is(err, compute.ErrOutOfMemory) && !fault && b.survivor == nil && !hosted:
		b.mu.Lock()
		bytes, buffers := b.liveBytes, len(b.live)
		b.mu.Unlock()
		err = fmt.Errorf("%s, with %d bytes in %d live buffers: %w; %s", size, bytes, buffers, err, lessMemory(op))
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

// lessMemory returns what helps where op does not have enough memory.
func lessMemory(op string) string {
	isForm := func(s signature) bool { return s.op == op }
	switch {
	case strings.HasPrefix(op, "run "):
		return "release some, work in parts, or use RunSlices"
	case strings.HasPrefix(op, "alloc"), op == "upload", slices.ContainsFunc(signatures[:form.Copy], isForm):
		return "release some, work in parts, or use Stream"
	}
	return "release some, or work in parts"
}
