// Package cpu is the backend that every machine has: the kernels of package
// compute on the processor, spread over its cores.
//
// A call computes before it returns, so Sync never has to wait. Calls that
// share no buffer run at the same time; of those that share one, only calls
// that just read it do.
package cpu

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// Open returns the CPU backend, on the first row of the kernel table that the
// processor has. It never fails.
func Open() (compute.Backend, error) { return open(rows()[0]), nil }

func open(r row) *backend {
	return &backend{row: r, name: "cpu " + r.name, live: map[*buffer]struct{}{}}
}

type backend struct {
	row  row
	name string

	closed  atomic.Bool
	streams sync.RWMutex // held for reading by calls of Stream, which Close waits for

	mu        sync.Mutex // guards what follows; never held while another lock is waited for
	nextID    uint64
	live      map[*buffer]struct{}
	liveBytes int64
}

func (b *backend) Info() compute.Info {
	b.mu.Lock()
	defer b.mu.Unlock()
	return compute.Info{
		Name:         b.name,
		Backend:      "cpu",
		Kind:         "cpu",
		Driver:       runtime.Version(),
		SharedMemory: true,
		LiveBuffers:  len(b.live),
		LiveBytes:    b.liveBytes,
	}
}

func (b *backend) Forward(f compute.Activation, y, x compute.Buffer) error {
	return b.unary(b.call("forward"), compute.OpForward, f, "y", y, x)
}

func (b *backend) Derivative(f compute.Activation, d, x compute.Buffer) error {
	return b.unary(b.call("derivative"), compute.OpDerivative, f, "d", d, x)
}

func (b *backend) unary(c check.Call, op compute.Op, f compute.Activation, dstName string, dst, x compute.Buffer) error {
	if err := b.accepts(c, f); err != nil {
		return err
	}
	var o operands
	if err := o.add(b, c, dstName, dst); err != nil {
		return err
	}
	if err := o.add(b, c, "x", x); err != nil {
		return err
	}
	if err := o.lock(c); err != nil {
		return err
	}
	defer o.unlock()
	runUnary(b.row.kernels[f.Kind].unary[op], o.data(0), o.data(1), f.NegativeSlope)
	return nil
}

func (b *backend) Backward(f compute.Activation, dx, dy, x compute.Buffer) error {
	c := b.call("backward")
	if err := b.accepts(c, f); err != nil {
		return err
	}
	var o operands
	if err := o.add(b, c, "dx", dx); err != nil {
		return err
	}
	if err := o.add(b, c, "dy", dy); err != nil {
		return err
	}
	if err := o.add(b, c, "x", x); err != nil {
		return err
	}
	if err := o.lock(c); err != nil {
		return err
	}
	defer o.unlock()
	runBackward(b.row.kernels[f.Kind].backward, o.data(0), o.data(1), o.data(2), f.NegativeSlope)
	return nil
}

// streamPart is the number of elements between two looks at the context.
const streamPart = 1 << 20

func (b *backend) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	c := b.call("stream")
	b.streams.RLock()
	defer b.streams.RUnlock()
	if b.closed.Load() {
		return c.Closed()
	}
	if err := c.Stream(ctx, op, f, dst, src); err != nil {
		return err
	}
	for len(src) > 0 {
		if err := ctx.Err(); err != nil {
			return c.Wrap(err)
		}
		n := min(len(src), streamPart)
		runUnary(b.row.kernels[f.Kind].unary[op], dst[:n], src[:n], f.NegativeSlope)
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
	return nil
}

func (b *backend) call(op string) check.Call { return check.Call{Op: op, Device: b.name} }

// accepts refuses a call on a closed backend, or for an f that there is not.
func (b *backend) accepts(c check.Call, f compute.Activation) error {
	if b.closed.Load() {
		return c.Closed()
	}
	return c.Activation(f)
}
