//go:build opencl && cgo

package opencl

import (
	"fmt"
	"runtime"

	"github.com/jgillich/go-opencl/cl"

	"github.com/gmind-go/compute"
)

// A Context is a device made ready: its OpenCL context and one program built for
// it. Its methods may be called from several goroutines at once, but Close.
type Context struct {
	device  *Device
	context *cl.Context
	program *cl.Program
}

// A Kernel is a compiled kernel of one Context. Its arguments are a state of it,
// so it is not safe for concurrent use.
type Kernel struct {
	name     string
	kernel   *cl.Kernel
	maxGroup int
}

// Open makes the device d ready and builds the program source for it. options are
// those of clBuildProgram, such as "-D WIDTH=4".
func Open(d *Device, source, options string) (*Context, error) {
	if d.Usable != nil {
		return nil, d.Usable
	}
	c := &Context{device: d}
	if err := c.open(source, options); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Context) open(source, options string) error {
	devices := []*cl.Device{c.device.device}
	err := call("clCreateContext", func() (err error) {
		c.context, err = cl.CreateContext(devices)
		return err
	})
	if err != nil {
		return err
	}
	runtime.SetFinalizer(c.context, nil)
	err = call("clCreateProgramWithSource", func() (err error) {
		c.program, err = c.context.CreateProgramWithSource([]string{uncontracted + source})
		return err
	})
	if err != nil {
		return err
	}
	runtime.SetFinalizer(c.program, nil)
	// No option that relaxes arithmetic: NaN, infinities and subnormals count.
	return call("clBuildProgram", func() error { return c.program.BuildProgram(devices, "-cl-std=CL1.2 "+options) })
}

// uncontracted stands before every program. Without it a product that is added to
// something may be fused with the sum, and is then not rounded: in OpenCL C that is the
// default.
const uncontracted = "#pragma OPENCL FP_CONTRACT OFF\n#line 1\n"

// NewQueue returns a queue of the device, to be closed.
func (c *Context) NewQueue() (*Queue, error) { return c.newQueue(0) }

// NewProfiledQueue returns a queue, to be closed, that records what the device reports for
// the time that commands took: see Queue.Times. Devices may work slower for it.
func (c *Context) NewProfiledQueue() (*Queue, error) {
	return c.newQueue(cl.CommandQueueProfilingEnable)
}

func (c *Context) newQueue(properties cl.CommandQueueProperty) (*Queue, error) {
	q := &Queue{profiled: properties&cl.CommandQueueProfilingEnable != 0}
	err := call("clCreateCommandQueue", func() (err error) {
		q.queue, err = c.context.CreateCommandQueue(c.device.device, properties)
		return err
	})
	if err != nil {
		return nil, err
	}
	runtime.SetFinalizer(q.queue, nil)
	return q, nil
}

// NewKernel returns the kernel of that name, which takes args arguments. It is to
// be released.
func (c *Context) NewKernel(name string, args int) (*Kernel, error) {
	k := &Kernel{name: name}
	err := call("clCreateKernel", func() (err error) {
		k.kernel, err = c.program.CreateKernel(name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("kernel %s: %w", name, err)
	}
	runtime.SetFinalizer(k.kernel, nil)
	got := 0
	err = call("clGetKernelInfo", func() (err error) {
		got, err = k.kernel.NumArgs()
		return err
	})
	if err == nil && got != args {
		err = fmt.Errorf("takes %d arguments, not %d: %w", got, args, compute.ErrDevice)
	}
	if err != nil {
		k.Release()
		return nil, fmt.Errorf("kernel %s: %w", name, err)
	}
	// A kernel that needs many registers may take fewer work-items than its device. If the
	// driver does not report it, or reports it wrongly as PoCL-Remote does, the first launch shows.
	k.maxGroup = c.device.MaxGroup
	_ = call("clGetKernelWorkGroupInfo", func() error {
		n, err := k.kernel.WorkGroupSize(c.device.device)
		if err == nil && n > 0 {
			k.maxGroup = min(k.maxGroup, n)
		}
		return err
	})
	return k, nil
}

// MaxGroup returns the most work-items in a work-group of the kernel.
func (k *Kernel) MaxGroup() int { return k.maxGroup }

// HalveGroup makes MaxGroup half of group, which was refused, and reports whether
// anything is left of it.
func (k *Kernel) HalveGroup(group int) bool {
	k.maxGroup = max(group/2, 1)
	return group > 1
}

// Release gives the kernel back. Calls after the first, and on nil, do nothing.
func (k *Kernel) Release() {
	if k != nil {
		k.kernel.Release()
	}
}

// set makes args the arguments of the kernel. Each is a *Mem, a uint32, a uint64 or a
// float32, as the kernel has it.
func (k *Kernel) set(args []any) error {
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
	return nil
}

// Close releases the program and the context. Queues, kernels and memory are to be
// released before.
func (c *Context) Close() {
	if c.program != nil {
		c.program.Release()
	}
	if c.context != nil {
		c.context.Release()
	}
	c.program, c.context = nil, nil
}
