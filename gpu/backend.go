//go:build opencl && cgo

package gpu

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/kernels"
)

// list returns the devices of all platforms, and why others are missing.
func list() ([]device, error) { return listWith(kernels.Source) }

// listWith is list for devices that compute with the kernels in source.
func listWith(source string) ([]device, error) {
	found, err := opencl.Devices()
	if opencl.IsNoDriver(err) {
		err = fmt.Errorf("gpu: no OpenCL driver is installed (%v); install the one of your device, or see OCL_ICD_VENDORS and /etc/OpenCL/vendors if it is: %w", err, compute.ErrUnavailable)
	} else if err != nil {
		err = fmt.Errorf("gpu: %w", err)
	}
	devices := make([]device, len(found))
	for i, d := range found {
		info := compute.Info{
			Name:         "opencl " + d.Name,
			Backend:      "opencl",
			Kind:         string(d.Type),
			Vendor:       d.Vendor,
			Platform:     d.Platform,
			Driver:       d.Driver,
			Memory:       d.Memory,
			MaxAlloc:     d.MaxAlloc,
			SharedMemory: d.SharedMemory,
		}
		devices[i] = device{info, func() (compute.Backend, error) { return open(d, info, source) }}
	}
	return devices, err
}

// kernelNames are the names of the kernels of one activation.
type kernelNames struct {
	unary    [2]string // by compute.Op
	backward string
}

// activations names the kernels of every activation, by compute.Kind.
var activations = []kernelNames{
	compute.KindLeakyReLU: {
		unary: [2]string{
			compute.OpForward:    "leaky_relu_forward",
			compute.OpDerivative: "leaky_relu_derivative",
		},
		backward: "leaky_relu_backward",
	},
}

// kernelSet are the compiled kernels of one activation.
type kernelSet struct {
	unary    [2]*opencl.Kernel // by compute.Op
	backward *opencl.Kernel
}

// backend computes on one device. All use of OpenCL is under its lock, since
// neither the arguments of a kernel nor a buffer that may be released stand
// concurrent use; the device works on what was enqueued without it.
type backend struct {
	info  compute.Info // what does not change
	group int          // work-items in a work-group

	mu        sync.Mutex // guards what follows
	context   *opencl.Context
	kernels   []kernelSet // by compute.Kind
	closed    bool
	fault     error // the first ErrDevice: nothing can be trusted after it
	live      map[*buffer]struct{}
	liveBytes int64
}

// open makes a backend of the device d, which info describes, with the kernels
// in source.
func open(d *opencl.Device, info compute.Info, source string) (compute.Backend, error) {
	ctx, err := opencl.Open(d, source)
	if err != nil {
		return nil, err
	}
	b := &backend{
		info:    info,
		group:   groupSize(d),
		context: ctx,
		kernels: make([]kernelSet, len(activations)),
		live:    map[*buffer]struct{}{},
	}
	for kind, names := range activations {
		if names == (kernelNames{}) {
			continue // the zero Kind
		}
		k := &b.kernels[kind]
		for op, name := range names.unary {
			if k.unary[op], err = ctx.Kernel(name, 4); err != nil {
				return nil, errors.Join(err, ctx.Close())
			}
		}
		if k.backward, err = ctx.Kernel(names.backward, 5); err != nil {
			return nil, errors.Join(err, ctx.Close())
		}
	}
	return b, nil
}

// groupSize returns the number of work-items in a work-group. A CPU wants few
// large groups, a GPU enough to fill its units.
func groupSize(d *opencl.Device) int {
	if d.Type == opencl.CPU {
		return min(1024, d.MaxGroup)
	}
	return min(256, d.MaxGroup)
}

func (b *backend) Info() compute.Info {
	b.mu.Lock()
	defer b.mu.Unlock()
	info := b.info
	info.LiveBuffers, info.LiveBytes = len(b.live), b.liveBytes
	return info
}

func (b *backend) Forward(f compute.Activation, y, x compute.Buffer) error {
	return b.unary("forward", compute.OpForward, f, operand{"y", y}, operand{"x", x})
}

func (b *backend) Derivative(f compute.Activation, d, x compute.Buffer) error {
	return b.unary("derivative", compute.OpDerivative, f, operand{"d", d}, operand{"x", x})
}

func (b *backend) unary(name string, op compute.Op, f compute.Activation, operands ...operand) error {
	return b.launch(b.call(name), f, func(k *kernelSet) *opencl.Kernel { return k.unary[op] }, operands...)
}

func (b *backend) Backward(f compute.Activation, dx, dy, x compute.Buffer) error {
	return b.launch(b.call("backward"), f, func(k *kernelSet) *opencl.Kernel { return k.backward },
		operand{"dx", dx}, operand{"dy", dy}, operand{"x", x})
}

// operand is a buffer among the arguments of a call, with its name there.
type operand struct {
	name   string
	buffer compute.Buffer
}

// launch enqueues the kernel of f that pick takes over its operands, the last of
// which gives the length.
func (b *backend) launch(c check.Call, f compute.Activation, pick func(*kernelSet) *opencl.Kernel, operands ...operand) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.usable(c); err != nil {
		return err
	}
	if err := c.Activation(f); err != nil {
		return err
	}
	bufs := make([]*buffer, len(operands))
	for i, o := range operands {
		buf, ok := o.buffer.(*buffer)
		if !ok || buf == nil || buf.owner != b {
			return c.Foreign(o.name, o.buffer)
		}
		bufs[i] = buf
	}
	for i, buf := range bufs {
		if buf.released {
			return c.Released(operands[i].name)
		}
	}
	last := len(operands) - 1
	n := bufs[last].n
	for i, buf := range bufs[:last] {
		if err := c.Lengths(operands[i].name, buf.n, operands[last].name, n); err != nil {
			return err
		}
	}
	if n == 0 {
		return nil
	}
	args := make([]any, 0, len(bufs)+2)
	for _, buf := range bufs {
		args = append(args, buf.mem)
	}
	return b.result(c, n, b.enqueue(pick(&b.kernels[f.Kind]), n, append(args, uint64(n), f.NegativeSlope)...))
}

// enqueue launches k over n elements. The lock is held, so that no other call
// sets the kernel's arguments in between.
func (b *backend) enqueue(k *opencl.Kernel, n int, args ...any) error {
	items := (n + kernels.Width - 1) / kernels.Width
	items = (items + b.group - 1) / b.group * b.group
	return b.context.Launch(k, items, b.group, args...)
}

// streamPart is the largest number of elements that Stream holds on the device.
const streamPart = 4 << 20

func (b *backend) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	c := b.call("stream")
	part, err := b.streamBuffer(c, ctx, op, f, dst, src)
	if err != nil || len(src) == 0 {
		return err
	}
	defer part.Release()
	for len(src) > 0 {
		if err := ctx.Err(); err != nil {
			return c.Wrap(err)
		}
		n := min(len(src), part.n)
		if err := b.streamOne(c, op, f, dst[:n], src[:n], part); err != nil {
			return err
		}
		dst, src = dst[n:], src[n:]
	}
	return nil
}

// streamBuffer checks the arguments of Stream and returns a buffer for a part of
// its elements, unless there are none.
func (b *backend) streamBuffer(c check.Call, ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) (*buffer, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.usable(c); err != nil {
		return nil, err
	}
	if err := c.Stream(ctx, op, f, dst, src); err != nil || len(src) == 0 {
		return nil, err
	}
	return b.allocLocked(c, int(min(int64(len(src)), streamPart, b.info.MaxAlloc/4)))
}

// streamOne computes dst from src by way of part. It holds the lock, so that
// other calls come between two parts.
func (b *backend) streamOne(c check.Call, op compute.Op, f compute.Activation, dst, src []float32, part *buffer) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.usable(c); err != nil {
		return err
	}
	n := len(src)
	err := b.context.Write(part.mem, src)
	if err == nil {
		err = b.enqueue(b.kernels[f.Kind].unary[op], n, part.mem, part.mem, uint64(n), f.NegativeSlope)
	}
	if err == nil {
		err = b.context.Read(part.mem, dst)
	}
	return b.result(c, n, err)
}

func (b *backend) Sync() error {
	c := b.call("sync")
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.usable(c); err != nil {
		return err
	}
	return b.result(c, 0, b.context.Finish())
}

func (b *backend) Close() error {
	c := b.call("close")
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	finished := b.context.Finish()
	for buf := range b.live {
		buf.release()
	}
	if err := errors.Join(finished, b.context.Close()); err != nil && b.fault == nil {
		return b.result(c, 0, err)
	}
	return nil // a fault was reported when it happened
}

func (b *backend) call(op string) check.Call { return check.Call{Op: op, Device: b.info.Name} }

// usable refuses a call on a backend that is closed or broken. The lock is held.
func (b *backend) usable(c check.Call) error {
	if b.closed {
		return c.Closed()
	}
	if b.fault != nil {
		return c.Fail(compute.ErrDevice, "the device cannot be used since it failed (%s); Close it and open another", strings.TrimPrefix(b.fault.Error(), "compute: "))
	}
	return nil
}

// result returns what the call c, on n elements (0 for none), says of err. A fault of the
// device is remembered. The lock is held.
func (b *backend) result(c check.Call, n int, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, compute.ErrOutOfMemory):
		return c.Wrap(fmt.Errorf("%d elements, %d bytes, with %d bytes in %d live buffers: %w; release some or work in parts", n, 4*int64(n), b.liveBytes, len(b.live), err))
	case n > 0:
		err = fmt.Errorf("%d elements: %w", n, err)
	}
	err = c.Wrap(err)
	if errors.Is(err, compute.ErrDevice) {
		b.fault = err
	}
	return err
}
