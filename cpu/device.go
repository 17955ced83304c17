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
	copying, err := s.compile(function.Kernel(0, function.Copy))
	if err != nil {
		panic(err) // the instruction set lacks a kernel: all tests would fail
	}
	return &device{
		set:      s,
		cache:    host.LastCache(),
		copyCode: copying,
		pool:     pool{options: o},
		memory:   newMemoryPool(),
	}
}

// sliceArgs returns the arguments of a kernel of one result and one input.
func sliceArgs(dst, src []float32) args {
	return args{n: len(dst), ptr: [4]unsafe.Pointer{unsafe.Pointer(&dst[0]), unsafe.Pointer(&src[0])}}
}

// device computes on the cores of the host.
type device struct {
	set      instructionSet
	cache    int // bytes: calls that move more use non-temporal stores
	copyCode *code
	frames   frames

	multiplyAdd multiplyAdd
	pool        pool
	memory      *memoryPool
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
	if m := m.(*memory); !m.isView {
		d.memory.put(m)
	}
	return nil
}

func (d *device) View(m driver.Memory, from, n int) (driver.Memory, error) {
	return m.(*memory).view(from, n), nil
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
	m.frame.args = sliceArgs(dst, src)
	d.launch(d.copyCode, &m.frame, nil)
}

func (d *device) ReadMask(m driver.Memory, dst []uint64) error {
	copy(dst, unsafe.Slice((*uint64)(unsafe.Pointer(&m.(*memory).elements[0])), len(dst)))
	return nil
}

func (d *device) Compile(k *program.Kernel) (driver.Code, error) {
	c, err := d.set.compile(k)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (d *device) Launch(c *driver.Call) error {
	code := c.Code.(*code)
	if code.plain != nil {
		f := &c.Operands[0].Memory.(*memory).frame
		for i := range c.Operands {
			f.args.ptr[i&3] = c.Operands[i].Memory.(*memory).start()
		}
		f.args.n = c.N
		f.args.setParams(c.Params)
		d.launch(code, f, c.Params)
		return nil
	}
	f := d.frames.take()
	r := &f.tiles.call
	for i := range c.Operands {
		o := &c.Operands[i]
		r.operands = append(r.operands, program.Operand[unsafe.Pointer]{Memory: o.Memory.(*memory).start(), Len: o.Len, Period: o.Period})
	}
	r.n, r.index, r.params = c.N, c.Index, c.Params
	d.launchPlan(code, f)
	d.frames.put(f)
	return nil
}

// streamTime is how long the kernel of a part of a Stream takes on one core, in the cache.
// Between parts the context is checked. It is hundreds of times the time that it takes to
// start a part.
const streamTime = 200 * time.Microsecond

// streamPart returns the number of elements of a part of n elements. It is a multiple of a
// page, so that all parts are aligned like the first.
func (d *device) streamPart(c *code, params []uint32, n int) int {
	const page = 4096 / 4
	if n <= costUnit { // the cost need not be known
		return n
	}
	return min(n, max(d.cost(c, params).elements(streamTime)/page*page, page))
}

func (d *device) Stream(ctx context.Context, c *driver.HostCall) error {
	code := c.Code.(*code)
	size := d.streamPart(code, c.Params, c.N)
	f := d.frames.take()
	defer d.frames.put(f)
	var nonTemporal kernel // for all parts
	if code.plain != nil {
		f.args.setHost(code, c, 0, c.N)
		nonTemporal = d.nonTemporal(code, &f.args)
		f.args.forget()
	}
	for lo := 0; lo < c.N; lo += size {
		if err := driver.Ended(ctx); err != nil {
			return err
		}
		n := min(size, c.N-lo)
		if code.plain != nil {
			f.args.setHost(code, c, lo, n)
			d.compute(code, f, c.Params, nonTemporal)
			continue
		}
		r := &f.tiles.call
		for i, o := range c.Operands {
			r.operands = append(r.operands, program.Operand[unsafe.Pointer]{Memory: hostStart(code, c, i, lo), Len: o.Len, Period: o.Period})
		}
		r.n, r.index, r.params = n, c.Index+uint64(lo), c.Params
		d.launchPlan(code, f)
	}
	return nil
}

// setHost sets a to n elements of c from lo on.
func (a *args) setHost(code *code, c *driver.HostCall, lo, n int) {
	for i := range c.Operands {
		a.ptr[i] = hostStart(code, c, i, lo)
	}
	a.n = n
	a.setParams(c.Params)
}

// hostStart returns where the element lo of the operand i of c is.
func hostStart(code *code, c *driver.HostCall, i, lo int) unsafe.Pointer {
	return unsafe.Add(start(c.Operands[i].Memory), offset(code.operands[i], lo))
}

// start returns where h starts.
func start(h driver.Host) unsafe.Pointer {
	if h.Words != nil {
		return unsafe.Pointer(unsafe.SliceData(h.Words))
	}
	return unsafe.Pointer(unsafe.SliceData(h.Floats))
}

func (d *device) Sync() error { return nil }

func (d *device) Close() error {
	d.pool.stop()
	d.memory.Empty()
	return nil
}

func (d *device) Trim() error {
	d.frames.empty()
	d.memory.Empty()
	return nil
}
