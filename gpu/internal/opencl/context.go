//go:build opencl && cgo

package opencl

import (
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/jgillich/go-opencl/cl"

	"github.com/gmind-go/compute"
)

// A Context is a device made ready: its OpenCL context, one queue that runs
// commands in the order they are enqueued, and the kernels of one program. It is
// not safe for concurrent use.
type Context struct {
	context *cl.Context
	queue   *cl.CommandQueue
	program *cl.Program
	kernels []*Kernel
	pending []*cl.Event // of the launches that nobody has waited for
}

// maxPending is the most launches that may go unwaited for. At more, Launch waits
// for the first half of them, which are done by then or nearly.
const maxPending = 256

// A Kernel is a compiled kernel of one Context.
type Kernel struct {
	name   string
	kernel *cl.Kernel
}

// A Mem is memory of the device.
type Mem struct {
	mem *cl.MemObject // nil when released
}

// Open makes the device d ready and builds the program source for it.
func Open(d *Device, source string) (*Context, error) {
	if d.Usable != nil {
		return nil, d.Usable
	}
	c := &Context{}
	if err := c.open(d, source); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Context) open(d *Device, source string) error {
	devices := []*cl.Device{d.device}
	err := call("clCreateContext", func() (err error) {
		c.context, err = cl.CreateContext(devices)
		return err
	})
	if err != nil {
		return err
	}
	runtime.SetFinalizer(c.context, nil)
	err = call("clCreateCommandQueue", func() (err error) {
		c.queue, err = c.context.CreateCommandQueue(d.device, 0)
		return err
	})
	if err != nil {
		return err
	}
	runtime.SetFinalizer(c.queue, nil)
	err = call("clCreateProgramWithSource", func() (err error) {
		c.program, err = c.context.CreateProgramWithSource([]string{source})
		return err
	})
	if err != nil {
		return err
	}
	runtime.SetFinalizer(c.program, nil)
	// No option that relaxes arithmetic: NaN, infinities and subnormals count.
	return call("clBuildProgram", func() error { return c.program.BuildProgram(devices, "-cl-std=CL1.2") })
}

// Kernel returns the kernel of that name, which takes args arguments.
func (c *Context) Kernel(name string, args int) (*Kernel, error) {
	k := &Kernel{name: name}
	err := call("clCreateKernel", func() (err error) {
		k.kernel, err = c.program.CreateKernel(name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("kernel %s: %w", name, err)
	}
	runtime.SetFinalizer(k.kernel, nil)
	c.kernels = append(c.kernels, k)
	got := 0
	err = call("clGetKernelInfo", func() (err error) {
		got, err = k.kernel.NumArgs()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("kernel %s: %w", name, err)
	}
	if got != args {
		return nil, fmt.Errorf("kernel %s takes %d arguments, not %d: %w", name, got, args, compute.ErrDevice)
	}
	return k, nil
}

// Alloc returns bytes of device memory, at least one, to be released.
func (c *Context) Alloc(bytes int) (*Mem, error) {
	m := &Mem{}
	err := call("clCreateBuffer", func() (err error) {
		m.mem, err = c.context.CreateEmptyBuffer(cl.MemReadWrite, bytes)
		return err
	})
	if err != nil {
		return nil, err
	}
	runtime.SetFinalizer(m.mem, nil)
	return m, nil
}

// Release gives the memory back, when the commands that use it are done. Calls
// after the first do nothing.
func (m *Mem) Release() {
	if m.mem != nil {
		m.mem.Release()
		m.mem = nil
	}
}

// Write copies src to the start of m and returns when src may be changed. It first
// waits for the kernels before it.
func (c *Context) Write(m *Mem, src []float32) error {
	err := c.transfer("clEnqueueWriteBuffer", m, src, func() (*cl.Event, error) {
		return c.queue.EnqueueWriteBuffer(m.mem, true, 0, size(src), unsafe.Pointer(&src[0]), nil)
	})
	if isPointerCheck(err) {
		return c.Write(m, append([]float32(nil), src...))
	}
	return err
}

// Read waits for the kernels before it and copies the start of m to dst.
func (c *Context) Read(m *Mem, dst []float32) error {
	err := c.transfer("clEnqueueReadBuffer", m, dst, func() (*cl.Event, error) {
		return c.queue.EnqueueReadBuffer(m.mem, true, 0, size(dst), unsafe.Pointer(&dst[0]), nil)
	})
	if isPointerCheck(err) {
		staged := make([]float32, len(dst))
		if err := c.Read(m, staged); err != nil {
			return err
		}
		copy(dst, staged)
		return nil
	}
	return err
}

// transfer makes a blocking call between m and host.
func (c *Context) transfer(name string, m *Mem, host []float32, enqueue func() (*cl.Event, error)) error {
	if len(host) == 0 {
		return nil
	}
	if m.mem == nil {
		return fmt.Errorf("%s: the memory was released: %w", name, compute.ErrClosed)
	}
	if err := c.Finish(); err != nil {
		return err
	}
	return call(name, func() error {
		event, err := enqueue()
		if err != nil {
			return err // the binding's event is then an empty shell
		}
		release(event)
		return nil
	})
}

// Launch enqueues k over items work-items in groups of group, of which items is
// a multiple. Each argument is a *Mem, a uint64 or a float32, as the kernel has
// it. Arguments are a state of the kernel: nothing else may set them until Launch
// returns.
func (c *Context) Launch(k *Kernel, items, group int, args ...any) error {
	for i, arg := range args {
		if m, ok := arg.(*Mem); ok {
			if m.mem == nil {
				return fmt.Errorf("clSetKernelArg: argument %d of %s was released: %w", i, k.name, compute.ErrClosed)
			}
			arg = m.mem
		}
		if err := call("clSetKernelArg", func() error { return k.kernel.SetArg(i, arg) }); err != nil {
			return fmt.Errorf("kernel %s, argument %d: %w", k.name, i, err)
		}
	}
	err := call("clEnqueueNDRangeKernel", func() error {
		return c.keep(c.queue.EnqueueNDRangeKernel(k.kernel, nil, []int{items}, []int{group}, nil))
	})
	if err != nil {
		return fmt.Errorf("kernel %s: %w", k.name, err)
	}
	if len(c.pending) > maxPending {
		return c.wait(maxPending / 2)
	}
	return nil
}

// keep takes the event of a launch, for the call that waits for it.
func (c *Context) keep(event *cl.Event, err error) error {
	if err != nil {
		return err // the binding's event is then an empty shell
	}
	runtime.SetFinalizer(event, nil)
	c.pending = append(c.pending, event)
	return nil
}

// Finish waits until every launch is done. If one failed, by whatever code, the
// results cannot be trusted: the error wraps compute.ErrDevice. A wait for the
// queue alone would not do: OpenCL does not make it tell of failed commands.
func (c *Context) Finish() error { return c.wait(len(c.pending)) }

// wait waits for the first n pending launches.
func (c *Context) wait(n int) error {
	if n == 0 {
		return nil
	}
	events := c.pending[:n]
	err := call("clWaitForEvents", func() error { return cl.WaitForEvents(events) })
	for _, event := range events {
		event.Release()
	}
	c.pending = append(c.pending[:0], c.pending[n:]...)
	if err == nil {
		return nil
	}
	// That some command failed is all this call tells; the queue may know why.
	if cause := call("clFinish", c.queue.Finish); cause != nil {
		err = fmt.Errorf("%w; %v", err, cause)
	}
	return fmt.Errorf("a kernel failed after it was launched: %v: %w", err, compute.ErrDevice)
}

// release releases the event of a command that was waited for.
func release(event *cl.Event) {
	runtime.SetFinalizer(event, nil)
	event.Release()
}

// Close waits for the device and releases all but the memory, which is to be
// released before. The context cannot be used after it.
func (c *Context) Close() error {
	err := c.Finish()
	if c.queue != nil && err == nil {
		err = call("clFinish", c.queue.Finish)
	}
	for _, k := range c.kernels {
		k.kernel.Release()
	}
	if c.program != nil {
		c.program.Release()
	}
	if c.queue != nil {
		c.queue.Release()
	}
	if c.context != nil {
		c.context.Release()
	}
	*c = Context{}
	return err
}

func size(s []float32) int { return len(s) * int(unsafe.Sizeof(s[0])) }
