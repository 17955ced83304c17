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
}

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

// Write copies src to the start of m and returns when src may be changed.
func (c *Context) Write(m *Mem, src []float32) error {
	err := c.transfer("clEnqueueWriteBuffer", m, src, func() (*cl.Event, error) {
		return c.queue.EnqueueWriteBuffer(m.mem, true, 0, size(src), unsafe.Pointer(&src[0]), nil)
	})
	if isPointerCheck(err) {
		return c.Write(m, append([]float32(nil), src...))
	}
	return err
}

// Read waits for the commands before it and copies the start of m to dst.
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

func (c *Context) transfer(name string, m *Mem, host []float32, enqueue func() (*cl.Event, error)) error {
	if len(host) == 0 {
		return nil
	}
	if m.mem == nil {
		return fmt.Errorf("%s: the memory was released: %w", name, compute.ErrClosed)
	}
	return enqueued(name, enqueue)
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
	err := enqueued("clEnqueueNDRangeKernel", func() (*cl.Event, error) {
		return c.queue.EnqueueNDRangeKernel(k.kernel, nil, []int{items}, []int{group}, nil)
	})
	if err != nil {
		return fmt.Errorf("kernel %s: %w", k.name, err)
	}
	return nil
}

// enqueued makes a call that enqueues a command, and releases its event: the
// queue is in order, so nobody waits for it.
func enqueued(name string, enqueue func() (*cl.Event, error)) error {
	return call(name, func() error {
		event, err := enqueue()
		if err != nil {
			return err // the binding's event is then an empty shell
		}
		runtime.SetFinalizer(event, nil)
		event.Release()
		return nil
	})
}

// Finish waits until everything enqueued is done.
func (c *Context) Finish() error {
	if c.queue == nil {
		return nil
	}
	return call("clFinish", c.queue.Finish)
}

// Close waits for the device and releases all but the memory, which is to be
// released before. The context cannot be used after it.
func (c *Context) Close() error {
	err := c.Finish()
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
