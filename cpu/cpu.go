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

// open returns a backend with the instruction set s. The options are in range.
func (o Options) open(s instructionSet) *backend {
	return &backend{set: s, name: "cpu " + s.name, cache: host.LastCache(), pool: pool{options: o}, memory: newMemoryPool(), live: map[*buffer]struct{}{}}
}

func open(s instructionSet) *backend { return Options{}.open(s) }

type backend struct {
	set   instructionSet
	name  string
	cache int // bytes: calls that move more use non-temporal stores

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
	return b.run(form.Forward, f, y, x)
}

func (b *backend) Derivative(f compute.Activation, d, x compute.Buffer) error {
	return b.run(form.Derivative, f, d, x)
}

func (b *backend) Backward(f compute.Activation, dx, dy, x compute.Buffer) error {
	return b.run(form.Backward, f, dx, dy, x)
}

func (b *backend) ForwardDerivative(f compute.Activation, y, d, x compute.Buffer) error {
	return b.run(form.ForwardDerivative, f, y, d, x)
}

func (b *backend) ForwardMask(f compute.Activation, y compute.Buffer, m compute.Mask, x compute.Buffer) error {
	return b.run(form.ForwardMask, f, y, m, x)
}

func (b *backend) BackwardMask(f compute.Activation, dx, dy compute.Buffer, m compute.Mask) error {
	return b.run(form.BackwardMask, f, dx, dy, m)
}

// Copy sets dst to src, of the same length, on the same cores and with the same stores as
// the kernels. It is the limit that they are measured against.
func (b *backend) Copy(dst, src compute.Buffer) error {
	return b.run(form.Copy, compute.Activation{}, dst, src)
}

// run checks and locks args, the operands of fm, and computes fm of f on them.
func (b *backend) run(fm form.Form, f compute.Activation, args ...any) error {
	if err := b.accepts(fm, f); err != nil {
		return err
	}
	var o operands
	if err := o.take(b, fm, args...); err != nil {
		return err
	}
	defer o.unlock()
	if o.bufs[0].n == 0 {
		return nil
	}
	a := &o.bufs[0].memory.args
	a.n = o.bufs[0].n
	for i, buf := range o.bufs[:o.n] {
		a.ptr[i] = unsafe.Pointer(&buf.data[0])
	}
	b.launch(fm, f, a)
	return nil
}

// copy sets dst to src, of equal length. One of them is buf, which is locked.
func (b *backend) copy(buf *buffer, dst, src []float32) {
	if len(dst) == 0 || &dst[0] == &src[0] {
		return
	}
	a := &buf.memory.args
	*a = sliceArgs(dst, src)
	b.launch(form.Copy, compute.Activation{}, a)
}

// Trim gives the memory that is kept for buffers to come back to the system.
func (b *backend) Trim() { b.memory.Empty() }

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
	if len(src) == 0 {
		return nil
	}
	fm, a := form.Of(op), new(args)
	*a = sliceArgs(dst, src)
	nonTemporal := b.nonTemporal(fm, f, a) // for all parts
	for len(src) > 0 {
		if err := check.Ended(ctx); err != nil {
			return c.Wrap(err)
		}
		n := min(len(src), streamPart)
		*a = sliceArgs(dst[:n], src)
		b.compute(fm, f, a, nonTemporal)
		dst, src = dst[n:], src[n:]
	}
	return nil
}

// sliceArgs returns the arguments of a form with one result and one input, but for the
// parameters.
func sliceArgs(dst, src []float32) args {
	return args{n: len(dst), ptr: [4]unsafe.Pointer{unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0])}}
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
	if fm == form.Copy {
		return nil
	}
	if err := f.Validate(); err != nil {
		return b.call(fm.String()).Wrap(err)
	}
	return nil
}
