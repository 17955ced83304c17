// Package cpu is the backend that every machine has: the kernels of package
// compute on the processor, spread over its cores.
//
// A call computes before it returns, so Sync never has to wait. Calls that share
// no buffer run at the same time.
//
// On Linux, Info().Memory is the memory of the machine, or of the smallest control group
// that the process is in, read when the backend is opened. Alloc, Upload and AllocMask
// return compute.ErrOutOfMemory for more than that in all buffers, and for more than is
// available at the time, where the system would promise it and end the process later.
// Large requests, and every 16 MiB of small ones, are checked. Info().MaxAlloc is the most
// that one buffer may have of it.
package cpu

import (
	"cmp"
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/host"
)

// Open returns the CPU backend, with the best instruction set that the processor has. It
// never fails.
func Open() (compute.Backend, error) { return Options{}.Open() }

// open returns a backend on the row r. The options are in range.
func (o Options) open(r row) *backend {
	return &backend{row: r, name: "cpu " + r.name, pastFrom: host.LastCache(), pool: pool{options: o}, memory: newMemoryPool(), live: map[*buffer]struct{}{}}
}

func open(r row) *backend { return Options{}.open(r) }

type backend struct {
	row      row
	name     string
	pastFrom int // bytes of traffic from which on results are stored past the caches

	pool    pool
	memory  *memoryPool
	closed  atomic.Bool
	streams sync.RWMutex // held for reading by calls of Stream, which Close waits for

	mu        sync.Mutex // guards what follows; never held while another lock is waited for
	nextID    uint64
	live      map[*buffer]struct{}
	liveBytes int64
}

func (b *backend) Info() compute.Info {
	pooled := b.memory.Bytes()
	b.mu.Lock()
	defer b.mu.Unlock()
	return compute.Info{
		Name:         b.name,
		Backend:      "cpu",
		Kind:         "cpu",
		Driver:       runtime.Version(),
		Memory:       b.memory.total,
		MaxAlloc:     b.memory.maxAlloc(),
		SharedMemory: true,
		LiveBuffers:  len(b.live),
		LiveBytes:    b.liveBytes,
		PooledBytes:  pooled,
	}
}

func (b *backend) Forward(f compute.Activation, y, x compute.Buffer) error {
	return b.unary(form.Forward, compute.OpForward, f, y, x)
}

func (b *backend) Derivative(f compute.Activation, d, x compute.Buffer) error {
	return b.unary(form.Derivative, compute.OpDerivative, f, d, x)
}

func (b *backend) unary(fm form.Form, op compute.Op, f compute.Activation, dst, x compute.Buffer) error {
	var o operands
	if err := o.begin(b, fm, f, dst, x); err != nil {
		return err
	}
	defer o.unlock()
	b.unaryJob(op, f, o.data(0), o.data(1), b.pastCaches(fm.Bits(), o.data(0), o.data(1), nil))
	return nil
}

// unaryJob sets dst from x, storing past the caches or not.
func (b *backend) unaryJob(op compute.Op, f compute.Activation, dst, x []float32, past bool) {
	k := b.row.kernels[f.Kind].unary[op]
	if len(x) < 2*minShare && !past { // one core: spare the job
		k(dst, x, f.NegativeSlope)
		return
	}
	j := job{loop: loop{unary: k}, dst: dst, x: x, slope: f.NegativeSlope}
	if past {
		j.past.unary = b.row.past[f.Kind].unary[op]
	}
	b.pool.do(&j)
}

func (b *backend) Backward(f compute.Activation, dx, dy, x compute.Buffer) error {
	var o operands
	if err := o.begin(b, form.Backward, f, dx, dy, x); err != nil {
		return err
	}
	defer o.unlock()
	k := b.row.kernels[f.Kind].backward
	dst, grad, src := o.data(0), o.data(1), o.data(2)
	past := b.pastCaches(form.Backward.Bits(), dst, src, grad)
	if len(src) < 2*minShare && !past {
		k(dst, grad, src, f.NegativeSlope)
		return nil
	}
	j := job{loop: loop{backward: k}, dst: dst, dy: grad, x: src, slope: f.NegativeSlope}
	if past {
		j.past.backward = b.row.past[f.Kind].backward
	}
	b.pool.do(&j)
	return nil
}

// Copy sets dst to src, both of this backend and of one length, as the kernels do
// their work: on the same cores, with the same stores. It is the limit that they
// are measured against.
func (b *backend) Copy(dst, src compute.Buffer) error {
	if b.closed.Load() {
		return b.call(form.Copy.String()).Closed()
	}
	var o operands
	if err := o.take(b, form.Copy, dst, src); err != nil {
		return err
	}
	defer o.unlock()
	b.copy(o.data(0), o.data(1))
	return nil
}

// copy sets dst to src, of equal length.
func (b *backend) copy(dst, src []float32) {
	if len(dst) == 0 || &dst[0] == &src[0] {
		return
	}
	past := b.pastCaches(form.Copy.Bits(), dst, src, nil)
	if len(src) < 2*minShare && !past {
		copy(dst, src)
		return
	}
	j := job{loop: loop{copy: copyThrough}, dst: dst, x: src}
	if past {
		j.past.copy = b.row.copyPast
	}
	b.pool.do(&j)
}

// Trim gives the memory that is kept for buffers to come back to the system.
func (b *backend) Trim() { b.memory.Empty() }

// pastCaches tells whether to store dst past the caches: if the traffic of the
// call, of so many bits per element, is more than the last of them keeps. Never
// in place, where the lines of dst are in the cache, having just been read; nor to a
// slice that some cast has put between two addresses of float32, and that no number
// of elements aligns.
func (b *backend) pastCaches(bits int, dst, x, dy []float32) bool {
	if b.row.past == nil || int64(len(dst)) <= 8*int64(b.pastFrom)/int64(bits) {
		return false
	}
	if uintptr(unsafe.Pointer(&dst[0]))%4 != 0 {
		return false
	}
	return &dst[0] != &x[0] && (dy == nil || &dst[0] != &dy[0])
}

// Host tells compute.Shard that calls are done when they return, by all cores of the
// host, and that none returns compute.ErrDevice.
func (b *backend) Host() {}

// streamPart is the number of elements between two looks at the context: less than a
// millisecond's work on most machines, and hundreds of times that of starting a part.
const streamPart = 2 << 20

func (b *backend) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	c := b.call("stream")
	b.streams.RLock()
	defer b.streams.RUnlock()
	if b.closed.Load() {
		return c.Closed()
	}
	if err := c.Stream(ctx, cmp.Or(op.Validate(), f.Validate()), dst, src); err != nil {
		return err
	}
	past := b.pastCaches(form.Of(op).Bits(), dst, src, nil) // of the whole, not of a part
	for len(src) > 0 {
		if err := check.Ended(ctx); err != nil {
			return c.Wrap(err)
		}
		n := min(len(src), streamPart)
		b.unaryJob(op, f, dst[:n], src[:n], past)
		dst, src = dst[n:], src[n:]
	}
	return nil
}

func (b *backend) Sync() error {
	if b.closed.Load() {
		return b.call("sync").Closed()
	}
	return nil
}

func (b *backend) Close() error {
	b.mu.Lock()
	b.closed.Store(true)
	live := make([]*buffer, 0, len(b.live))
	for buf := range b.live {
		live = append(live, buf)
	}
	b.mu.Unlock()
	for _, buf := range live {
		buf.Release() // waits for the calls that use it; never fails
	}
	b.streams.Lock()
	defer b.streams.Unlock()
	b.pool.stop()
	b.memory.Empty()
	return nil
}

func (b *backend) call(op string) check.Call { return check.Call{Op: op, Device: b.name} }

// accepts returns an error if the backend is closed or f is invalid.
func (b *backend) accepts(fm form.Form, f compute.Activation) error {
	if b.closed.Load() {
		return b.call(fm.String()).Closed()
	}
	if err := f.Validate(); err != nil {
		return b.call(fm.String()).Wrap(err)
	}
	return nil
}
