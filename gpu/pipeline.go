//go:build opencl && cgo

package gpu

import (
	"errors"
	"unsafe"

	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/mempool"
)

// A pipeline moves data between the host and the device, and computes on the way. It
// has a queue and kernels of its own, so that several pipelines are at work at once: one
// transfers while another computes. It belongs to whoever took it out of
// device.pipelines. All its methods wait for what they enqueue.
type pipeline struct {
	d       *device
	queue   *opencl.Queue
	kernels kernelSet

	buffers []buffer        // of the device, each made when first needed
	staging *opencl.Staging // of the host; nil where data is used where it is
	staged  int             // elements of it
}

// A buffer is memory of the device.
type buffer struct {
	*opencl.Mem
	capacity int // elements
}

func newPipeline(d *device) (*pipeline, error) {
	p := &pipeline{d: d, kernels: kernelSet{}}
	err := d.withMemory(func() (err error) {
		p.queue, err = d.context.NewQueue()
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// run computes t, which fits into the memory of the pipeline.
func (p *pipeline) run(t *task) error {
	k, err := p.kernels.of(t.code, &p.d.codes)
	if err != nil {
		return err
	}
	if p.d.shared {
		return p.copied(k, t)
	}
	return p.throughStaging(k, t)
}

// usableInPlace reports whether the device can work in the memory of s, without a copy. A
// CPU can; others need whole pages, or for the end of one a multiple of a cache line
// (Intel's guide to OpenCL on its graphics names 4096 and 64 bytes).
func (d *device) usableInPlace(s []float32) bool {
	if !d.shape.aligned {
		return true
	}
	return uintptr(unsafe.Pointer(&s[0]))%4096 == 0 && len(s)%(64/4) == 0
}

// errNotWrapped: memory of the host must be copied, and nothing has happened yet.
var errNotWrapped = errors.New("not usable in place")

// direct lets the device work in the memory of the host, but for inputs that are repeated.
func (p *pipeline) direct(t *task) error {
	k, err := p.kernels.of(t.code, &p.d.codes)
	if err != nil {
		return err
	}
	var sizes []int
	for _, o := range t.inputs() {
		if o.repeated {
			sizes = append(sizes, o.size())
		}
	}
	if err := p.reserve(sizes, 0); err != nil {
		return err
	}
	wrapped := map[*float32]*opencl.Mem{}
	defer func() {
		for _, m := range wrapped {
			if p.queue.Lost() {
				m.Abandon()
			} else {
				m.Release()
			}
		}
	}()
	args := make([]any, 0, t.code.args)
	next := 0
	for i := range t.operands { // results come first, so that what is written is wrapped as such
		o := &t.operands[i]
		if o.repeated {
			m := p.buffers[next].Mem
			next++
			if err := p.write(m, o); err != nil {
				return p.done(err)
			}
			args = append(args, m)
			continue
		}
		at := &o.parts[0][0]
		if wrapped[at] == nil {
			m, err := p.d.context.Wrap(o.parts[0], i < t.results)
			if opencl.CannotWrap(err) {
				err = errNotWrapped
			}
			if err != nil {
				return err
			}
			wrapped[at] = m
		}
		args = append(args, wrapped[at])
	}
	err = p.d.enqueue(t.code.shape, p.queue, k, t.n, t.arguments(args)...)
	for i := range t.results {
		if err == nil {
			s := t.operands[i].parts[0]
			err = p.queue.Update(wrapped[&s[0]], len(s))
		}
	}
	return p.done(err)
}

// write copies an input to m.
func (p *pipeline) write(m *opencl.Mem, o *operand) error {
	at := 0
	for _, part := range o.parts {
		if len(part) == 0 {
			continue
		}
		if err := p.d.withMemory(func() error { return p.queue.Write(m, at, part) }); err != nil {
			return err
		}
		at += len(part)
	}
	return nil
}

// copied copies the inputs into memory of the device, which is memory of the host, computes
// there, and copies the results out of it.
func (p *pipeline) copied(k *opencl.Kernel, t *task) error {
	err := p.reserve(t.sizes, 0)
	inputs := t.inputs()
	for i := range inputs {
		if err == nil {
			err = p.write(p.buffers[inputs[i].buffer].Mem, &inputs[i])
		}
	}
	if err == nil {
		err = p.compute(k, t)
	}
	for _, o := range t.operands[:t.results] {
		if err == nil {
			err = p.queue.Read(p.buffers[o.buffer].Mem, 0, o.parts[0])
		}
	}
	return p.done(err)
}

// compute enqueues t, whose operands are in buffers.
func (p *pipeline) compute(k *opencl.Kernel, t *task) error {
	args := make([]any, len(t.operands), t.code.args)
	for i, o := range t.operands {
		args[i] = p.buffers[o.buffer].Mem
	}
	return p.d.enqueue(t.code.shape, p.queue, k, t.n, t.arguments(args)...)
}

// throughStaging copies the inputs to the device, computes there, and copies the results back.
// Each buffer has its own part of the staging memory, through which an input goes before the
// result that takes its place.
func (p *pipeline) throughStaging(k *opencl.Kernel, t *task) error {
	total := 0
	for _, size := range t.sizes {
		total += size
	}
	if err := p.reserve(t.sizes, total); err != nil {
		return err
	}
	at := make([]int, len(t.sizes)) // by buffer: where its part begins
	for i := 1; i < len(at); i++ {
		at[i] = at[i-1] + t.sizes[i-1]
	}
	var err error
	for _, o := range t.inputs() {
		n := 0
		for _, part := range o.parts {
			n += copy(p.staging.Values[at[o.buffer]+n:], part)
		}
		if err == nil {
			err = p.d.withMemory(func() error {
				return p.queue.StartWrite(p.buffers[o.buffer].Mem, 0, p.staging, at[o.buffer], n)
			})
		}
	}
	if err == nil {
		err = p.compute(k, t)
	}
	results := t.operands[:t.results]
	for _, o := range results {
		if err == nil {
			err = p.queue.StartRead(p.buffers[o.buffer].Mem, 0, p.staging, at[o.buffer], len(o.parts[0]))
		}
	}
	if err = p.done(err); err != nil {
		return err
	}
	for _, o := range results {
		copy(o.parts[0], p.staging.Values[at[o.buffer]:])
	}
	return nil
}

// upload copies src to m, from its element offset on.
func (p *pipeline) upload(m *opencl.Mem, offset int, src []float32) error {
	if err := p.reserve(nil, len(src)); err != nil {
		return err
	}
	copy(p.staging.Values, src)
	return p.done(p.d.withMemory(func() error { return p.queue.StartWrite(m, offset, p.staging, 0, len(src)) }))
}

// download copies m, from its element offset on, to dst.
func (p *pipeline) download(dst []float32, m *opencl.Mem, offset int) error {
	if err := p.reserve(nil, len(dst)); err != nil {
		return err
	}
	err := p.done(p.queue.StartRead(m, offset, p.staging, 0, len(dst)))
	if err == nil {
		copy(dst, p.staging.Values)
	}
	return err
}

// done waits for all that was enqueued before err, and returns what failed.
func (p *pipeline) done(err error) error {
	if late := p.queue.Wait(); late != nil {
		return late
	}
	return err
}

// reserve makes the pipeline have buffers of these sizes, in elements, and staging memory for
// staged elements. What it has already stays, unless all would be more than a pipeline may
// have.
func (p *pipeline) reserve(sizes []int, staged int) error {
	device, host := 0, max(staged, p.staged)
	for i := range max(len(sizes), len(p.buffers)) {
		size := 0
		if i < len(p.buffers) {
			size = p.buffers[i].capacity
		}
		if i < len(sizes) {
			size = max(size, sizes[i])
		}
		device += size
	}
	if device > p.d.part || host > p.d.part || staged > p.staged && p.staged > 0 || p.tooSmall(sizes) {
		if _, err := p.shrink(); err != nil {
			return err
		}
	}
	before := p.bytes()
	err := p.d.withMemory(func() (err error) {
		if staged > p.staged {
			// One that grows is made anew, so it is made in few sizes.
			n := max(staged, min(mempool.Class(staged), p.d.part))
			if p.staging, err = p.d.context.NewStaging(p.queue, n); err != nil {
				return err
			}
			p.staged = n
		}
		for i := len(p.buffers); i < len(sizes); i++ {
			n := sizes[i]
			if len(sizes) == 1 {
				n = max(n, min(mempool.Class(n), p.d.part))
			}
			m, err := p.d.context.Alloc(4 * n)
			if err != nil {
				return err
			}
			p.buffers = append(p.buffers, buffer{m, n})
		}
		return nil
	})
	p.d.pipelineBytes.Add(p.bytes() - before)
	return err
}

// tooSmall reports whether a buffer is smaller than these sizes.
func (p *pipeline) tooSmall(sizes []int) bool {
	for i, b := range p.buffers {
		if i < len(sizes) && b.capacity < sizes[i] {
			return true
		}
	}
	return false
}

// bytes returns how much memory the pipeline holds, of the device and of the host.
func (p *pipeline) bytes() int64 {
	elements := p.staged
	for _, b := range p.buffers {
		elements += b.capacity
	}
	return 4 * int64(elements)
}

// shrink gives the memory of the pipeline back, and returns how many bytes that was. It
// is gone after an error too, which is a fault of the device.
func (p *pipeline) shrink() (int64, error) {
	bytes := p.bytes()
	err := p.staging.Release()
	for _, b := range p.buffers {
		b.Release()
	}
	p.staging, p.staged, p.buffers = nil, 0, nil
	p.d.pipelineBytes.Add(-bytes)
	return bytes, err
}

// close gives everything back.
func (p *pipeline) close() error {
	_, err := p.shrink()
	p.kernels.release()
	return worst([]error{err, p.queue.Close()})
}

// A task is what a pipeline computes at a time: a part of a call.
type task struct {
	code     *code
	n        int
	index    uint64
	results  int       // how many of the operands
	operands []operand // results, then inputs
	sizes    []int     // of the buffers that they are in, in elements
	params   []uint32
}

// An operand of a task is in memory of the host, one part after the other. The bits of a mask
// are in whole words.
type operand struct {
	parts    [2][]float32
	buffer   int // where it goes to on the device, by index
	repeated bool
	repeat   repeat
}

func (t *task) inputs() []operand { return t.operands[t.results:] }

func (o *operand) size() int { return len(o.parts[0]) + len(o.parts[1]) }

// arguments appends to args, the memory of the operands, what else the kernel takes.
func (t *task) arguments(args []any) []any {
	return t.code.arguments(args, t.n, t.index, func(input int) repeat { return t.inputs()[input].repeat }, t.params)
}

// words returns the words of a mask as they are moved: in elements of float32, which may have
// any bits.
func words(w []uint64) []float32 {
	return unsafe.Slice((*float32)(unsafe.Pointer(&w[0])), 2*len(w))
}

// newTask returns the part of a call for n elements from one on, which is a multiple of 64.
func newTask(c *streamed, from, n int) *task {
	t := &task{code: c.code, n: n, index: c.call.Index + uint64(from), results: len(c.code.kernel.Results), params: c.call.Params}
	t.operands = make([]operand, len(c.call.Operands))
	t.sizes = make([]int, c.buffers)
	for i, o := range c.call.Operands {
		p := &t.operands[i]
		p.buffer = c.buffer[i]
		switch a := c.address(i); a {
		case kernel.Element:
			p.parts[0] = o.Memory.Floats[from : from+n]
		case kernel.Bit:
			p.parts[0] = words(o.Memory.Words[from/64 : (from+n+63)/64])
		case kernel.Row:
			p.repeated, p.repeat = true, repeatOf(a, o, n, t.index)
			row := o.Memory.Floats[:o.Len]
			if start := p.repeat.start; o.Len > n { // a part of it, as a row of its own
				p.parts[0] = row[start:min(start+n, o.Len)]
				p.parts[1] = row[:n-len(p.parts[0])]
				p.repeat = repeat{length: n}
			} else {
				p.parts[0] = row
			}
		case kernel.Col:
			p.repeated, p.repeat = true, repeatOf(a, o, n, t.index)
			last := (t.index + uint64(n-1)) / uint64(o.Period)
			p.parts[0] = o.Memory.Floats[p.repeat.base : last+1]
			p.repeat.base = 0
		}
		t.sizes[p.buffer] = max(t.sizes[p.buffer], p.size())
	}
	return t
}
