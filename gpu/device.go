//go:build opencl && cgo

package gpu

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/mempool"
	"github.com/gmind-go/compute/kernels"
)

// Built reports whether this build contains OpenCL.
const Built = true

// list returns the devices of all platforms, to be opened with o, and why others
// are missing.
func list(o Options) ([]candidate, error) {
	return listWith(o, func(d *opencl.Device) program { return program{kernels.Source, shapeFor(d)} })
}

// A program is the source of the kernels and the shape they are built for.
type program struct {
	source string
	shape  shape
}

// listWith is list for devices that compute with the program that choose gives.
func listWith(o Options, choose func(*opencl.Device) program) ([]candidate, error) {
	found, err := opencl.Devices()
	if opencl.IsNoDriver(err) {
		err = fmt.Errorf("gpu: no OpenCL driver is installed, or none that finds a device (%v); install the driver of the device, or, if /etc/OpenCL/vendors or OCL_ICD_VENDORS has it, check that the device is there and permitted to this user: %w", err, compute.ErrUnavailable)
	} else if err != nil {
		err = fmt.Errorf("gpu: %w", err)
	}
	candidates := make([]candidate, len(found))
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
		candidates[i] = candidate{
			info:     info,
			software: d.Software,
			platform: d.PlatformIndex,
			hardware: d.Hardware,
			open:     func() (compute.Backend, error) { return open(d, info, choose(d), o) },
		}
	}
	return candidates, err
}

// device is one device. Buffers and the kernels over them go through one queue, in the order
// of the calls, under one lock, since the arguments of a kernel are state of the kernel. The
// device works on what was enqueued without the lock. Stream, and large transfers to a device
// with memory of its own, go through pipelines.
type device struct {
	found      *opencl.Device
	info       compute.Info // but for what is pooled
	shape      shape        // of kernels without a mask
	shared     bool         // data is used where it is, not copied to the device
	flushes    atomic.Bool  // it may flush subnormals
	prelude    string       // kernels.Prelude
	context    *opencl.Context
	programs   []*opencl.Program // of the shipped kernels
	codes      codeSet
	chunks     *reduction // of what other reductions leave of their chunks
	multiplier multiplier
	quick      func() bool // whether functions take their quick bodies first: see functions.go
	pool       *mempool.Pool[*memory]

	part          int            // most elements that a pipeline copies at a time
	directPart    int            // most that it works on where they are
	pipelines     chan *pipeline // those that rest; nil for one not yet made
	pipelineBytes atomic.Int64   // memory of the device and the host that pipelines hold

	mu      sync.Mutex // guards what follows; nobody who has a pipeline waits for it
	queue   *opencl.Queue
	kernels kernelSet
	closed  bool
	writes  chooser // between a transfer and a map, where memory is shared
	reads   chooser // likewise

	peakLinks uint32 // what Peak has found, or 0
}

// memory is what a buffer or a mask has of the device.
type memory struct {
	*opencl.Mem
	size   int  // in float32 elements
	from   int  // the first element
	isView bool // of other memory
}

// open makes a backend of the device found, which info describes.
func open(found *opencl.Device, info compute.Info, p program, o Options) (compute.Backend, error) {
	ctx, err := opencl.Open(found)
	if err != nil {
		return nil, err
	}
	d := &device{
		found:   found,
		info:    info,
		shape:   p.shape,
		shared:  found.SharedMemory && !o.Staged,
		prelude: kernels.Prelude,
		context: ctx,
		pool:    mempool.New(poolLimit(found), func(m *memory) { m.Release() }),
		kernels: kernelSet{},
		chunks:  newReduction(function.Kernel(0, function.Copy)),
	}
	d.codes.d, d.codes.limit = d, maxPrograms
	d.multiplier = multiplier{
		tiles: tilesFor(found), inPanels: kernels.MatMulPanels, inTiles: kernels.MatMulTiles,
		launchFlop: launchFlop,
		codes:      map[variant]*tileCode{}, unfit: map[variant]error{},
	}
	d.flushes.Store(!found.Subnormals)
	d.quick = sync.OnceValue(d.slowDouble)
	d.planPipelines(o.StreamMemory, runtime.GOMAXPROCS(0))
	if err = d.ship(p.source); err == nil {
		d.queue, err = ctx.NewQueue()
	}
	if err != nil {
		return nil, worst([]error{err, d.Close()})
	}
	return driver.New(d), nil
}

// poolLimit returns how many bytes of released memory are kept on d: an eighth of
// a device's own, and not much of what other programs use too.
func poolLimit(d *opencl.Device) int64 {
	if d.SharedMemory {
		return min(512<<20, d.Memory/8)
	}
	return d.Memory / 8
}

func (d *device) Info() compute.Info {
	info := d.info
	info.FlushesSubnormals = d.flushes.Load()
	info.PooledBytes = d.pool.Bytes() + d.pipelineBytes.Load()
	return info
}

// Alloc gets memory from the device, or from the pool if that has some of its size. It is
// never more than asked for: memory of a device may be scarce, and what checks a kernel's
// accesses knows where the buffer ends.
func (d *device) Alloc(n int, mask bool) (driver.Memory, error) {
	m := &memory{size: n}
	if mask {
		m.size = 2 * form.MaskWords(n)
	}
	if bytes := 4 * int64(m.size); bytes > d.info.MaxAlloc {
		return nil, fmt.Errorf("the device takes %d bytes in one buffer: %w", d.info.MaxAlloc, compute.ErrOutOfMemory)
	}
	if kept, ok := d.pool.Get(m.size); ok {
		return kept, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	err := d.withMemory(func() (err error) {
		m.Mem, err = d.context.Alloc(4 * m.size)
		return err
	})
	if errors.Is(err, compute.ErrOutOfMemory) { // or a kernel failed: see Queue.enqueue
		err = worst([]error{d.queue.Wait(), err})
	}
	if err != nil {
		return nil, err
	}
	return m, nil
}

// Free gives the memory to the pool. Its next user enqueues commands after those that use it
// now, and if it is released OpenCL keeps it until they are done. The lock keeps the release
// apart from launches.
func (d *device) Free(m driver.Memory) error {
	if m.(*memory).isView {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pool.Put(m.(*memory).size, m.(*memory))
	return nil
}

func (d *device) View(m driver.Memory, from, n int) (driver.Memory, error) {
	return &memory{Mem: m.(*memory).Mem, size: n, from: from, isView: true}, nil
}

// Launch enqueues the kernel, and makes the device begin: the caller may not ask for
// anything else for long.
func (d *device) Launch(call *driver.Call) error {
	c := call.Code.(*code)
	if isOfViews(call) {
		var err error
		if c, err = d.ofViews(c); err != nil {
			return err
		}
	}
	args := c.argumentsOf(call)
	d.mu.Lock()
	defer d.mu.Unlock()
	k, err := d.kernels.of(c, &d.codes)
	if err != nil {
		return err
	}
	if err := d.enqueue(c.shape, d.queue, k, call.N, args...); err != nil {
		return err
	}
	return d.queue.Flush()
}

// Flushes tells the device that the self-test has found that it flushes subnormals.
func (d *device) Flushes() { d.flushes.Store(true) }

// enqueue launches k, which nothing else may use meanwhile, over n elements in the shape s.
func (d *device) enqueue(s shape, q *opencl.Queue, k *opencl.Kernel, n int, args ...any) error {
	return d.withMemory(func() error {
		for {
			s.group = min(s.group, k.MaxGroup())
			err := q.Launch(k, s.items(n), s.group, args...)
			if !opencl.IsGroupTooLarge(err) || !k.HalveGroup(s.group) {
				return err
			}
		}
	})
}

// enqueueGroups launches k, which nothing else may use meanwhile, in work-groups of group items, a
// power of two, or of fewer if the device takes no more. plan returns how many groups of so many
// items there are, and the arguments; no groups if they have too few items.
func (d *device) enqueueGroups(q *opencl.Queue, k *opencl.Kernel, group int, plan func(group int) (groups int, args []any)) error {
	return d.withMemory(func() error {
		for {
			group = min(group, powerOfTwo(k.MaxGroup()))
			groups, args := plan(group)
			if groups == 0 {
				return errSmallGroup
			}
			err := q.Launch(k, groups*group, group, args...)
			if !opencl.IsGroupTooLarge(err) || !k.HalveGroup(group) {
				return err
			}
		}
	})
}

// withMemory runs do and, if that runs out of memory, once more with what can be
// given back, so do must be such that it may be repeated. Many drivers allocate only
// when memory is used.
func (d *device) withMemory(do func() error) error {
	err := do()
	if !errors.Is(err, compute.ErrOutOfMemory) {
		return err
	}
	switch bytes, fault := d.trim(); {
	case fault != nil:
		return fault
	case bytes > 0:
		return do()
	}
	return err
}

// Trim gives back what is kept for buffers and streams to come.
func (d *device) Trim() error {
	_, err := d.trim()
	return err
}

// trim gives back what is kept for buffers and streams to come, and returns how
// many bytes that was, and the fault of the device if it shows one.
func (d *device) trim() (bytes int64, err error) {
	bytes = d.pool.Empty()
	for range cap(d.pipelines) {
		select {
		case p := <-d.pipelines:
			if p != nil {
				freed, fault := p.shrink()
				bytes += freed
				err = worst([]error{err, fault})
			}
			d.pipelines <- p
		default: // the others are at work
		}
	}
	return bytes, err
}

func (d *device) Sync() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.queue.Wait()
}

func (d *device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	var errs []error
	if d.queue != nil {
		errs = append(errs, d.queue.Wait())
	}
	for range cap(d.pipelines) {
		if p := <-d.pipelines; p != nil {
			errs = append(errs, p.close())
		}
	}
	d.pool.Empty()
	d.kernels.release()
	d.codes.release()
	d.multiplier.release()
	for _, p := range d.programs {
		p.Release()
	}
	if d.queue != nil {
		errs = append(errs, d.queue.Close())
	}
	d.context.Close()
	return worst(errs)
}
