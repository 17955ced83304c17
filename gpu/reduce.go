//go:build opencl && cgo

package gpu

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/openclc"
	"github.com/gmind-go/compute/kernels"
)

// A reduction is the code of a kernel whose values are reduced: what CompileReduce returns.
type reduction struct {
	kernel *kernel.Kernel

	mu    sync.Mutex
	codes map[reduceKind]*code // each compiled when a call needs it
}

// A reduceKind is what a kernel reduces to, and along what.
type reduceKind struct {
	op      compute.Reduction
	columns bool
}

func (r reduceKind) String() string {
	if r.columns {
		return r.op.String() + " of columns"
	}
	return r.op.String() + " of rows"
}

// newReduction returns the reduction of k.
func newReduction(k *kernel.Kernel) *reduction {
	return &reduction{kernel: k, codes: map[reduceKind]*code{}}
}

// CompileReduce implements driver.Device. What a call needs is compiled by Reduce, which knows
// along what it goes.
func (d *device) CompileReduce(k *kernel.Kernel, _ compute.Reduction) (driver.Code, error) {
	return newReduction(k), nil
}

// errSmallGroup: a kernel does not take as many work-items in a group as it needs.
var errSmallGroup = fmt.Errorf("the device takes too few work-items in a group: %w", compute.ErrDevice)

// A reducePass is a launch of a kernel that makes one element of each chunk.
type reducePass struct {
	code    *code
	call    *driver.Call // operand 0 is what the kernel writes
	columns bool
	length  int // of a sequence
	others  int // how many sequences there are
	count   int // elements in the whole of a sequence, for a mean
}

// Reduce implements driver.Device. The first pass computes the program, and leaves an element of
// each chunk, and further ones reduce these.
func (d *device) Reduce(call *driver.ReduceCall) error {
	columns := call.Along.Kind == compute.AxisCols && call.Along.Columns > 1 // one column is a row
	length, others := call.N, 1
	switch call.Along.Kind {
	case compute.AxisRows:
		length = call.Along.Columns
		others = call.N / length
	case compute.AxisCols:
		others = call.Along.Columns
		length = call.N / others
	}
	r, from, count := call.Code.(*reduction), call.Call, length
	var passes []reducePass
	for {
		chunks := ceil(length, linear.Chunk)
		op, to := call.Reduction, call.Operands[0].Memory
		if chunks > 1 {
			if op == compute.Mean {
				op = compute.Sum
			}
			m, err := d.Alloc(others*chunks, false)
			if err != nil {
				return err
			}
			defer d.Free(m)
			to = m
		}
		c, err := d.reduceCode(r, reduceKind{op, columns})
		if err != nil {
			return err
		}
		now := from
		now.Operands = append([]kernel.Operand[driver.Memory]{{Memory: to}}, from.Operands[1:]...)
		passes = append(passes, reducePass{c, &now, columns, length, others, count})
		if chunks == 1 {
			break
		}
		r, length = d.chunks, chunks
		from = driver.Call{N: others * chunks, Operands: []kernel.Operand[driver.Memory]{{}, {Memory: to, Len: others * chunks}}}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for i := range passes {
		k, err := d.kernels.of(passes[i].code, &d.codes)
		if err != nil {
			return err
		}
		if err := d.enqueueReduce(d.queue, k, &passes[i]); err != nil {
			return err
		}
	}
	return d.queue.Flush()
}

// enqueueReduce launches k, which is of the code of p.
func (d *device) enqueueReduce(q *opencl.Queue, k *opencl.Kernel, p *reducePass) error {
	c := p.code
	return d.enqueueGroups(q, k, c.shape.group, func(group int) (groups int, _ []any) {
		if group < c.items {
			return 0, nil
		}
		args := c.argumentsOf(p.call)
		chunks := ceil(p.length, linear.Chunk)
		units := p.others * chunks
		if p.columns {
			blocks := ceil(p.others, c.shape.width*c.shape.vectors)
			units = blocks * chunks
			args = append(args, c.shape.count(p.others), c.shape.count(p.length), c.shape.count(blocks))
		} else {
			args = append(args, c.shape.count(p.length), c.shape.count(chunks))
		}
		args = append(args, c.shape.count(units), p.aligned(), float32(p.count))
		return ceil(units, group/c.items), args
	})
}

// aligned returns whether every vector that is read whole begins at a multiple of one, as the
// kernel has it.
func (p *reducePass) aligned() uint32 {
	width, row := p.code.shape.width, p.length
	if p.columns {
		row = p.others
	}
	if row%width > 0 && (p.columns || p.others > 1) {
		return 0
	}
	for i, a := range p.code.kernel.Inputs {
		if a == kernel.Element && p.call.Operands[1+i].Memory.(*memory).from%width > 0 {
			return 0
		}
	}
	return 1
}

// reduceArguments is how many arguments a kernel has beside those of Print, and reduceBytes how
// many bytes they take.
func reduceArguments(columns bool) (count, bytes int) {
	wide := 3
	if columns {
		wide++
	}
	return wide + 2, 8*wide + 8
}

// reduceCode returns the code for r of a kind.
func (d *device) reduceCode(r *reduction, kind reduceKind) (*code, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.codes[kind]; c != nil {
		return c, nil
	}
	k, key := r.kernel, kind.String()+" of "+r.kernel.Key
	c := d.codes.find(key)
	if c == nil {
		_, own := openclc.Arguments(k, openclc.Options{Guarded: true, Views: true})
		if _, more := reduceArguments(kind.columns); own+more > d.found.Parameters {
			return nil, fmt.Errorf("a kernel of %d inputs and %d scalars takes %d bytes of arguments, and the device %d; split the program: %w",
				len(k.Inputs), len(k.Params), own+more, d.found.Parameters, compute.ErrCompile)
		}
		var err error
		c, err = attempts(d.shape, openclc.Options{Views: true}, func(s shape, o openclc.Options) (*code, error) {
			items := min(16, linear.Lanes/s.width)
			if s.width == 16 || items > s.group {
				items = 1 // as on a CPU, where a work-item has all lanes in its registers
			}
			c, err := d.tryReduce(k, kind, s, o, items)
			if errors.Is(err, errSmallGroup) {
				c, err = d.tryReduce(k, kind, s, o, 1)
			}
			return c, err
		})
		if err != nil {
			return nil, err
		}
		c.key = key
		d.codes.keep(c)
	}
	r.codes[kind] = c
	return c, nil
}

// tryReduce compiles a kernel in which so many work-items share a chunk, and compares it with its
// reference.
func (d *device) tryReduce(k *kernel.Kernel, kind reduceKind, s shape, o openclc.Options, items int) (*code, error) {
	switch {
	case !kind.columns:
		s.vectors = linear.Lanes / s.width / items
	case items == 1:
		s.vectors = 4
	default:
		s.vectors = 1
	}
	switch {
	case items > 1:
		s.group = powerOfTwo(s.group)
	case kind.columns: // a block of them may be much
		s.group = 1
	default:
		s.group = min(s.group, 16)
	}
	c := &code{kernel: k, name: "reduce", shape: s, guarded: o.Guarded, views: true, items: items}
	more, _ := reduceArguments(kind.columns)
	c.args, _ = openclc.Arguments(k, o)
	c.args += more
	text, err := openclc.PrintValues(k, d.printed(c))
	if err != nil {
		return nil, err
	}
	define := fmt.Sprintf("#define ITEMS %d\n#define GROUP %d\n", items, s.group)
	if kind.columns {
		define += "#define COLUMNS\n"
	}
	define += [...]string{compute.Sum: "", compute.Max: "#define MAXIMUM\n", compute.Min: "#define MINIMUM\n", compute.Mean: "#define MEAN\n"}[kind.op]
	c.source = define + d.defines(s) + d.prelude + "\n" + text + kernels.Reduce
	if c.program, err = d.context.Build(c.source, d.options()); err != nil {
		return nil, compileError(err)
	}
	compiled, err := c.program.NewKernel(c.name, c.args)
	if err == nil {
		err = d.withPipeline(context.Background(), func(p *pipeline) error { return p.checkReduce(c, kind, compiled, text) })
		compiled.Release()
	}
	if err != nil {
		c.forget()
		return nil, err
	}
	return c, nil
}
