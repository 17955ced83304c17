//go:build opencl && cgo

package opencl

import (
	"fmt"
	"runtime"

	"github.com/jgillich/go-opencl/cl"

	"github.com/gmind-go/compute"
)

// A Context is a device made ready. Its methods may be called from several goroutines at once,
// but Close.
type Context struct {
	device  *Device
	context *cl.Context
}

// A Program is compiled for one Context. Its methods may be called from several goroutines at
// once, but Release.
type Program struct {
	device  *Device
	program *cl.Program
}

// A Kernel is a compiled kernel of one Context. Its arguments are a state of it,
// so it is not safe for concurrent use.
type Kernel struct {
	name     string
	kernel   *cl.Kernel
	maxGroup int
}

// Open makes the device d ready.
func Open(d *Device) (*Context, error) {
	if d.Usable != nil {
		return nil, d.Usable
	}
	c := &Context{device: d}
	err := call("clCreateContext", func() (err error) {
		c.context, err = cl.CreateContext([]*cl.Device{d.device})
		return err
	})
	if err != nil {
		return nil, err
	}
	runtime.SetFinalizer(c.context, nil)
	return c, nil
}

// Build compiles source, to be released. options are those of clBuildProgram, such as
// "-D WIDTH=4". See IsBuild for the errors.
func (c *Context) Build(source, options string) (*Program, error) {
	p := &Program{device: c.device}
	err := call("clCreateProgramWithSource", func() (err error) {
		p.program, err = c.context.CreateProgramWithSource([]string{uncontracted + source})
		return err
	})
	if err != nil {
		return nil, err
	}
	runtime.SetFinalizer(p.program, nil)
	// No option that relaxes arithmetic: NaN, infinities and subnormals count. Some drivers print
	// warnings to stderr; -w turns them off.
	err = call(buildProgram, func() error {
		return p.program.BuildProgram([]*cl.Device{c.device.device}, "-cl-std=CL1.2 -w "+options)
	})
	if err != nil {
		p.Release()
		return nil, err
	}
	return p, nil
}

// Release gives the program back. Its kernels stay usable. Calls after the first, and on nil,
// do nothing.
func (p *Program) Release() {
	if p != nil {
		p.program.Release()
	}
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
func (p *Program) NewKernel(name string, args int) (*Kernel, error) {
	k := &Kernel{name: name}
	err := call("clCreateKernel", func() (err error) {
		k.kernel, err = p.program.CreateKernel(name)
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
	k.maxGroup = p.device.MaxGroup
	_ = call("clGetKernelWorkGroupInfo", func() error {
		n, err := k.kernel.WorkGroupSize(p.device.device)
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

// Close releases the context. Queues, programs, kernels and memory are to be released before.
func (c *Context) Close() {
	if c.context != nil {
		c.context.Release()
	}
	c.context = nil
}
