//go:build opencl && cgo

package gpu

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/mempool"
	"github.com/gmind-go/compute/kernels"
)

// Built tells whether OpenCL is in this build.
const Built = true

// list returns the devices of all platforms, to be opened with o, and why others
// are missing.
func list(o Options) ([]device, error) {
	return listWith(o, func(d *opencl.Device) program { return program{kernels.Source, shapeFor(d)} })
}

// A program is the source of the kernels and the shape they are built for.
type program struct {
	source string
	shape  shape
}

// listWith is list for devices that compute with the program that choose gives.
func listWith(o Options, choose func(*opencl.Device) program) ([]device, error) {
	found, err := opencl.Devices()
	if opencl.IsNoDriver(err) {
		err = fmt.Errorf("gpu: no OpenCL driver is installed, or none that finds a device (%v); install the driver of the device, or, if /etc/OpenCL/vendors or OCL_ICD_VENDORS has it, check that the device is there and permitted to this user: %w", err, compute.ErrUnavailable)
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
		devices[i] = device{
			info:     info,
			software: d.Software,
			platform: d.PlatformIndex,
			hardware: d.Hardware,
			open:     func() (compute.Backend, error) { return open(d, info, choose(d), o) },
		}
	}
	return devices, err
}

// backend computes on one device. Buffers and the kernels over them go through
// one queue, in the order of the calls, under one lock, since neither the
// arguments of a kernel nor a buffer that may be released stand concurrent use;
// the device works on what was enqueued without it. Stream, and large transfers to
// a device with memory of its own, go through lanes.
type backend struct {
	info    compute.Info // what does not change
	shape   shape
	shared  bool // data is used where it is, not copied to the device
	context *opencl.Context
	pool    *mempool.Pool[*opencl.Mem]

	part       int           // most elements that a lane copies at a time
	directPart int           // most that it works on where they are
	lanes      chan *lane    // those that rest; nil for one not yet made
	laneBytes  atomic.Int64  // memory of the device and the host that lanes hold
	closing    chan struct{} // closed by Close

	mu        sync.Mutex // guards what follows; never asked for by who holds a lane
	queue     *opencl.Queue
	kernels   []kernelSet
	copy      *opencl.Kernel // nil until it is used
	closed    bool
	fault     error // the first ErrDevice: nothing can be trusted after it
	live      map[*memory]struct{}
	liveBytes int64
	writes    chooser   // between a transfer and a map, where memory is shared
	reads     chooser   // likewise
	moves     int       // memories that lanes copy
	moved     sync.Cond // when one is done
}

// open makes a backend of the device d, which info describes.
func open(d *opencl.Device, info compute.Info, p program, o Options) (compute.Backend, error) {
	ctx, err := opencl.Open(d, p.source, p.shape.options())
	if err != nil {
		return nil, err
	}
	b := &backend{
		info:    info,
		shape:   p.shape,
		shared:  d.SharedMemory && !o.Staged,
		context: ctx,
		pool:    mempool.New(poolLimit(d), (*opencl.Mem).Release),
		closing: make(chan struct{}),
		live:    map[*memory]struct{}{},
	}
	b.moved.L = &b.mu
	b.planLanes(o.StreamMemory, runtime.GOMAXPROCS(0))
	if b.queue, err = ctx.NewQueue(); err == nil {
		b.kernels, err = newKernels(ctx)
	}
	if err != nil {
		return nil, worst([]error{err, b.release()})
	}
	return b, nil
}

// poolLimit returns how many bytes of released memory are kept on d: an eighth of
// a device's own, and not much of what other programs use too.
func poolLimit(d *opencl.Device) int64 {
	if d.SharedMemory {
		return min(512<<20, d.Memory/8)
	}
	return d.Memory / 8
}

func (b *backend) Info() compute.Info {
	info := b.info
	info.PooledBytes = b.pool.Bytes() + b.laneBytes.Load()
	b.mu.Lock()
	defer b.mu.Unlock()
	info.LiveBuffers, info.LiveBytes = len(b.live), b.liveBytes
	return info
}

func (b *backend) Forward(f compute.Activation, y, x compute.Buffer) error {
	return b.launch(form.Forward, f, y, x)
}

func (b *backend) Derivative(f compute.Activation, d, x compute.Buffer) error {
	return b.launch(form.Derivative, f, d, x)
}

func (b *backend) Backward(f compute.Activation, dx, dy, x compute.Buffer) error {
	return b.launch(form.Backward, f, dx, dy, x)
}

func (b *backend) ForwardDerivative(f compute.Activation, y, d, x compute.Buffer) error {
	return b.launch(form.ForwardDerivative, f, y, d, x)
}

func (b *backend) ForwardMask(f compute.Activation, y compute.Buffer, m compute.Mask, x compute.Buffer) error {
	return b.launch(form.ForwardMask, f, y, m, x)
}

func (b *backend) BackwardMask(f compute.Activation, dx, dy compute.Buffer, m compute.Mask) error {
	return b.launch(form.BackwardMask, f, dx, dy, m)
}

// operands returns args as the operands of fm.
func (b *backend) operands(fm form.Form, args []any) []check.Operand {
	operands := make([]check.Operand, len(args))
	for i, o := range fm.Operands() {
		operands[i] = check.NewOperand(b, o.String(), o == form.M, args[i])
	}
	return operands
}

// launch enqueues the kernel of f for fm over args, its operands.
func (b *backend) launch(fm form.Form, f compute.Activation, args ...any) error {
	c := b.call(fm.String())
	operands := b.operands(fm, args)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settle(operands)
	if err := b.usable(c); err != nil {
		return err
	}
	if err := c.Wrap(f.Validate()); err != nil {
		return err
	}
	args, n, err := arguments(c, operands, len(fm.Results()))
	if err != nil || n == 0 {
		return err
	}
	s := b.shape
	if fm.Masked() {
		s = s.masked()
	}
	args = append(args, s.count(n), f.NegativeSlope)
	return b.result(c, n, b.start(s, b.kernels[f.Kind][fm], n, args...))
}

// settle waits until lanes copy none of operands. The lock is held, and given up
// meanwhile.
func (b *backend) settle(operands []check.Operand) {
	moving := func(o check.Operand) bool { return o.Memory != nil && o.Memory.(holder).held().moving }
	if !slices.ContainsFunc(operands, moving) {
		return
	}
	var memories []*memory
	for _, o := range operands {
		if o.Memory != nil {
			memories = append(memories, o.Memory.(holder).held())
		}
	}
	b.await(memories...)
}

// arguments returns the memory of operands, as the arguments of a kernel that writes the
// first of them, as many as results, and their length.
func arguments(c check.Call, operands []check.Operand, results int) (args []any, n int, err error) {
	if n, err = c.Operands(operands, results); err != nil {
		return nil, 0, err
	}
	args = make([]any, len(operands), len(operands)+2) // and what kernels take behind them
	for i, o := range operands {
		args[i] = o.Memory.(holder).held().mem
	}
	return args, n, nil
}

// Copy sets dst to src as the kernels would. It is the limit that they are measured
// by: see form.Copier.
func (b *backend) Copy(dst, src compute.Buffer) error {
	c := b.call(form.Copy.String())
	operands := b.operands(form.Copy, []any{dst, src})
	b.mu.Lock()
	defer b.mu.Unlock()
	b.settle(operands)
	if err := b.usable(c); err != nil {
		return err
	}
	args, n, err := arguments(c, operands, 1)
	if err != nil || n == 0 {
		return err
	}
	if b.copy == nil {
		if b.copy, err = b.context.NewKernel("copy", 3); err != nil {
			return b.result(c, n, err)
		}
	}
	return b.result(c, n, b.start(b.shape, b.copy, n, append(args, b.shape.count(n))...))
}

// start launches k over n elements in the shape s, and makes the device begin: the caller
// may not ask for anything else for long.
func (b *backend) start(s shape, k *opencl.Kernel, n int, args ...any) error {
	if err := b.enqueueIn(s, b.queue, k, n, args...); err != nil {
		return err
	}
	return b.queue.Flush()
}

// enqueue launches k, which nothing else may use meanwhile, over n elements.
func (b *backend) enqueue(q *opencl.Queue, k *opencl.Kernel, n int, args ...any) error {
	return b.enqueueIn(b.shape, q, k, n, args...)
}

// enqueueIn is enqueue for a kernel that deals the elements out in the shape s.
func (b *backend) enqueueIn(s shape, q *opencl.Queue, k *opencl.Kernel, n int, args ...any) error {
	return b.withMemory(func() error {
		for {
			s.group = min(s.group, k.MaxGroup())
			err := q.Launch(k, s.items(n), s.group, args...)
			if !opencl.IsGroupTooLarge(err) || !k.HalveGroup(s.group) {
				return err
			}
		}
	})
}

// withMemory runs do and, if that runs out of memory, once more with what can be
// given back, so do must be such that it may be repeated. Many drivers allocate only
// when memory is used.
func (b *backend) withMemory(do func() error) error {
	err := do()
	if !errors.Is(err, compute.ErrOutOfMemory) {
		return err
	}
	switch bytes, fault := b.trim(); {
	case fault != nil:
		return fault
	case bytes > 0:
		return do()
	}
	return err
}

// Trim is found by compute.Trim. What it fails with, later calls tell.
func (b *backend) Trim() {
	_, err := b.trim()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.result(b.call("trim"), 0, err)
}

// trim gives back what is kept for buffers and streams to come, and returns how
// many bytes that was, and the fault of the device if it shows one.
func (b *backend) trim() (bytes int64, err error) {
	bytes = b.pool.Empty()
	for range cap(b.lanes) {
		select {
		case l := <-b.lanes:
			if l != nil {
				freed, fault := l.shrink()
				bytes += freed
				err = worst([]error{err, fault})
			}
			b.lanes <- l
		default: // the others are at work
		}
	}
	return bytes, err
}

func (b *backend) Sync() error {
	c := b.call("sync")
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.usable(c); err != nil {
		return err
	}
	return b.result(c, 0, b.queue.Wait())
}

func (b *backend) Close() error {
	c := b.call("close")
	b.mu.Lock()
	defer b.mu.Unlock()
	again := b.closed
	b.closed = true
	for b.moves > 0 {
		b.moved.Wait()
	}
	if again {
		return nil
	}
	close(b.closing)
	if err := b.release(); err != nil && b.fault == nil {
		return b.result(c, 0, err)
	}
	return nil // a fault was reported when it happened
}

// release waits for the device and gives everything back.
func (b *backend) release() error {
	var errs []error
	if b.queue != nil {
		errs = append(errs, b.queue.Wait())
	}
	for range cap(b.lanes) {
		if l := <-b.lanes; l != nil { // once it rests
			errs = append(errs, l.close())
		}
	}
	for m := range b.live {
		m.release()
	}
	b.pool.Empty()
	for _, k := range b.kernels {
		k.release()
	}
	b.copy.Release()
	if b.queue != nil {
		errs = append(errs, b.queue.Close())
	}
	b.context.Close()
	return worst(errs)
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
	case errors.Is(err, compute.ErrOutOfMemory) && !errors.Is(err, compute.ErrDevice):
		return c.Wrap(fmt.Errorf("%d bytes, with %d bytes in %d live buffers: %w; release some or work in parts", 4*int64(n), b.liveBytes, len(b.live), err))
	case n > 0:
		err = fmt.Errorf("%d elements: %w", n, err)
	}
	err = c.Wrap(err)
	if errors.Is(err, compute.ErrDevice) && b.fault == nil {
		b.fault = err
	}
	return err
}
