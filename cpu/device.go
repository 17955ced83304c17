// Package cpu is the CPU backend. It computes on all cores of the processor, with the best
// instruction set that it has.
//
// Results are complete when a call returns, so Sync never waits. Calls without a common
// buffer run in parallel.
//
// On Linux, Info().Memory is the memory in bytes of the machine, or of the smallest control
// group that the process is in, when the backend is opened. Alloc, Upload and AllocMask
// return compute.ErrOutOfMemory if all buffers together would exceed it, or if a buffer would
// exceed the memory that is available at the time: the system would grant it, and end the
// process later. Large requests, and every 16 MiB of small ones, are checked.
// Info().MaxAlloc is the size of the largest buffer.
package cpu

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"time"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/host"
	program "github.com/gmind-go/compute/internal/kernel"
)

// Open returns the CPU backend, with the best instruction set that the processor has. It
// never fails.
func Open() (compute.Backend, error) { return Options{}.Open() }

// open returns a backend with the instruction set s. The options are in range.
func (o Options) open(s instructionSet) compute.Backend { return driver.New(o.device(s)) }

func (o Options) device(s instructionSet) *device {
	return &device{
		set:    s,
		cache:  host.LastCache(),
		costs:  make([]costs, len(s.plain)),
		pool:   pool{options: o},
		memory: newMemoryPool(),
	}
}

// device computes on the cores of the host.
type device struct {
	set    instructionSet
	cache  int     // bytes: calls that move more use non-temporal stores
	costs  []costs // by compute.Kind
	pool   pool
	memory *memoryPool
}

func (d *device) Info() compute.Info {
	return compute.Info{
		Name:         "cpu " + d.set.name,
		Backend:      "cpu",
		Kind:         "cpu",
		Driver:       runtime.Version(),
		Memory:       d.memory.total,
		MaxAlloc:     d.memory.maxAlloc(),
		SharedMemory: true,
		PooledBytes:  d.memory.Bytes(),
	}
}

func (d *device) Alloc(n int, mask bool) (driver.Memory, error) {
	if mask {
		n = 2 * form.MaskWords(n)
	}
	m, err := d.memory.get(n)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", err, compute.ErrOutOfMemory)
	}
	return m, nil
}

func (d *device) Free(m driver.Memory) error {
	d.memory.put(m.(*memory))
	return nil
}

func (d *device) Write(m driver.Memory, src []float32) error {
	d.copy(m.(*memory), m.(*memory).elements, src)
	return nil
}

func (d *device) Read(m driver.Memory, dst []float32) error {
	d.copy(m.(*memory), dst, m.(*memory).elements)
	return nil
}

// copy sets dst to src, of equal length. One of them is in m.
func (d *device) copy(m *memory, dst, src []float32) {
	m.args = sliceArgs(dst, src)
	d.launch(form.Copy, compute.Activation{}, &m.args)
}

func (d *device) ReadMask(m driver.Memory, dst []uint64) error {
	copy(dst, unsafe.Slice((*uint64)(unsafe.Pointer(&m.(*memory).elements[0])), len(dst)))
	return nil
}

// code is that of a kernel.
type code struct {
	kind compute.Kind
	form form.Form
	slow bool // it is none of the library's own
}

func (d *device) Compile(k *program.Kernel) (driver.Code, error) {
	kind, fm, ok := function.Shipped(k)
	return &code{compute.Kind(kind), form.Form(fm), !ok}, nil
}

func (d *device) Launch(c *driver.Call) error {
	code := c.Code.(*code)
	if code.slow {
		d.reference(c)
		return nil
	}
	a := &c.Operands[0].Memory.(*memory).args
	a.n = c.N
	for i, o := range c.Operands {
		a.ptr[i&3] = unsafe.Pointer(unsafe.SliceData(o.Memory.(*memory).elements))
	}
	d.launch(code.form, code.activation(c.Params), a)
	return nil
}

// activation returns that of a code with parameters.
func (c *code) activation(params []uint32) compute.Activation {
	f := compute.Activation{Kind: c.kind}
	for i, v := range params {
		f.Params[i] = math.Float32frombits(v)
	}
	return f
}

// streamTime is how long the kernel of a part of a Stream takes on one core, in the cache.
// Between parts the context is checked. It is hundreds of times the time that it takes to
// start a part.
const streamTime = 200 * time.Microsecond

// streamPart returns the number of elements of a part of n elements. It is a multiple of a
// page, so that all parts are aligned like the first.
func (d *device) streamPart(fm form.Form, f compute.Activation, n int) int {
	const page = 4096 / 4
	if n <= costUnit { // the cost need not be known
		return n
	}
	return min(n, max(d.cost(fm, f).elements(streamTime)/page*page, page))
}

func (d *device) Stream(ctx context.Context, c *driver.HostCall) error {
	code := c.Code.(*code)
	if code.slow || len(c.Operands) != 2 {
		return d.referenceStream(ctx, c)
	}
	a := new(args)
	dst, src, f := c.Operands[0].Memory.Floats, c.Operands[1].Memory.Floats, code.activation(c.Params)
	*a = sliceArgs(dst, src)
	nonTemporal := d.nonTemporal(code.form, f, a) // for all parts
	part := d.streamPart(code.form, f, len(src))
	for len(src) > 0 {
		if err := driver.Ended(ctx); err != nil {
			return err
		}
		n := min(len(src), part)
		*a = sliceArgs(dst[:n], src)
		d.compute(code.form, f, a, nonTemporal)
		dst, src = dst[n:], src[n:]
	}
	return nil
}

// sliceArgs returns the arguments of a form with one result and one input, but for the
// parameters.
func sliceArgs(dst, src []float32) args {
	return args{n: len(dst), ptr: [4]unsafe.Pointer{unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0])}}
}

func (d *device) Sync() error { return nil }

func (d *device) Close() error {
	d.pool.stop()
	d.memory.Empty()
	return nil
}

func (d *device) Trim() error {
	d.memory.Empty()
	return nil
}
