//go:build opencl && cgo

package gpu

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// A code is a kernel that was compiled: what Compile returns.
type code struct {
	kernel  *kernel.Kernel // nil if it is not one of a program
	key     string         // by which codeSet finds it
	name    string         // in the program
	args    int            // of the kernel
	guarded bool           // see openclc.Options
	views   bool           // likewise
	items   int            // work-items that share a chunk, if it reduces
	shape   shape

	ofViews struct { // what computes the same of views
		sync.Mutex
		code *code // nil until there is one
	}

	source  string          // of the program; empty for a shipped kernel
	program *opencl.Program // guarded by codeSet.mu; nil while it is forgotten, if there is a source
}

// maxPrograms is how many programs are kept at most, beside those of the shipped kernels, and
// maxKernels how many kernels for each queue.
const (
	maxPrograms = 256
	maxKernels  = 256
)

// A codeSet has what was compiled. It forgets what was not used for long, and compiles that again
// when it is.
type codeSet struct {
	d       *device
	shipped map[string]*code // by key; never changed
	limit   int              // of recent

	mu     sync.Mutex
	recent []*code // whose program is kept; the last is the one used last
}

// find returns the code with the key, or nil.
func (s *codeSet) find(key string) *code {
	if c := s.shipped[key]; c != nil {
		return c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.IndexFunc(s.recent, func(c *code) bool { return c.key == key })
	if i < 0 {
		return nil
	}
	c := s.recent[i]
	s.use(c)
	return c
}

// use makes c, whose program is kept, the one used last. The caller has the lock.
func (s *codeSet) use(c *code) {
	if i := slices.Index(s.recent, c); i >= 0 {
		s.recent = slices.Delete(s.recent, i, i+1)
	}
	s.recent = append(s.recent, c)
	for len(s.recent) > s.limit {
		s.recent[0].forget()
		s.recent = slices.Delete(s.recent, 0, 1)
	}
}

// forget releases the program. Kernels that were made of it stay usable.
func (c *code) forget() {
	c.program.Release()
	c.program = nil
}

// keep keeps c, which was compiled.
func (s *codeSet) keep(c *code) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.use(c)
}

// newKernel returns a kernel of c, to be released, for the use of one queue: the arguments are
// a state of a kernel. It compiles c again if that was forgotten.
func (s *codeSet) newKernel(c *code) (*opencl.Kernel, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.program == nil {
		program, err := s.d.context.Build(c.source, s.d.options())
		if err != nil {
			return nil, compileError(err)
		}
		c.program = program
	}
	if c.source != "" {
		s.use(c)
	}
	return c.program.NewKernel(c.name, c.args)
}

// release releases all programs.
func (s *codeSet) release() {
	for _, c := range s.recent {
		c.forget()
	}
	s.recent = nil
}

// A kernelSet has the kernels of one queue, each made when it is first used.
type kernelSet map[*code]*opencl.Kernel

// of returns the kernel of c. It keeps a bounded number of them: OpenCL itself keeps one that
// is released until it has run.
func (ks kernelSet) of(c *code, s *codeSet) (*opencl.Kernel, error) {
	if k := ks[c]; k != nil {
		return k, nil
	}
	if len(ks) >= maxKernels {
		ks.release()
	}
	k, err := s.newKernel(c)
	if err == nil {
		ks[c] = k
	}
	return k, err
}

func (ks kernelSet) release() {
	for c, k := range ks {
		k.Release()
		delete(ks, c)
	}
}

// A repeat is where a call is in an input that is repeated: see openclc.Print.
type repeat struct {
	start, length       int // of a Row
	base, until, period int // of a Col
}

// repeatOf returns the repeat of an input with the address, for n elements from the index on.
func repeatOf[M any](a kernel.Address, o kernel.Operand[M], n int, index uint64) (r repeat) {
	switch a {
	case kernel.Row:
		r.length = o.Len
		r.start = int(index % uint64(o.Len))
	case kernel.Col:
		r.base = int(index / uint64(o.Period))
		// What lies behind the n elements does not matter, and may be more than an index holds.
		r.until = min(o.Period-int(index%uint64(o.Period)), n)
		r.period = min(o.Period, n)
	}
	return r
}

// arguments appends to args, which has the memory of all operands, what else a launch takes.
// repeats has an element for each input, if one is repeated.
func (c *code) arguments(args []any, n int, index uint64, repeats func(input int) repeat, params []uint32) []any {
	args = append(args, c.shape.count(n))
	for i, a := range c.kernel.Inputs {
		switch a {
		case kernel.Row:
			r := repeats(i)
			args = append(args, c.shape.count(r.start), c.shape.count(r.length))
		case kernel.Col:
			r := repeats(i)
			args = append(args, c.shape.count(r.base), c.shape.count(r.until), c.shape.count(r.period))
		}
	}
	if c.kernel.Indexed {
		args = append(args, index)
	}
	for i, t := range c.kernel.Params {
		if t == ir.F32 {
			args = append(args, math.Float32frombits(params[i]))
		} else {
			args = append(args, params[i])
		}
	}
	if c.guarded {
		args = append(args, uint32(0))
	}
	return args
}

// argumentsOf returns what a launch of call takes.
func (c *code) argumentsOf(call *driver.Call) []any {
	args := make([]any, len(call.Operands), c.args)
	for i, o := range call.Operands {
		args[i] = o.Memory.(*memory).Mem
	}
	args = c.arguments(args, call.N, call.Index, func(input int) repeat {
		return repeatOf(c.kernel.Inputs[input], call.Operands[len(c.kernel.Results)+input], call.N, call.Index)
	}, call.Params)
	return c.firsts(args, func(operand int) int { return call.Operands[operand].Memory.(*memory).from })
}

// firsts appends to args the first element of each operand that may be a view, if c is of views.
func (c *code) firsts(args []any, first func(operand int) int) []any {
	if !c.views {
		return args
	}
	for i := range len(c.kernel.Results) + len(c.kernel.Inputs) {
		if c.address(i) != kernel.Bit {
			args = append(args, c.shape.count(first(i)))
		}
	}
	return args
}

// address returns that of an operand: a result, or an input.
func (c *code) address(operand int) kernel.Address {
	if results := len(c.kernel.Results); operand >= results {
		return c.kernel.Inputs[operand-results]
	}
	return c.kernel.Results[operand]
}

// compileError makes an error of a build wrap compute.ErrCompile, and no other error of package
// compute.
func compileError(err error) error {
	if opencl.IsBuild(err) {
		return fmt.Errorf("%v: %w", err, compute.ErrCompile)
	}
	return err
}
