package driver

import (
	"fmt"
	"math"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/internal/kernel"
)

// A programCall has what the arguments of a call of a program are, before it is known where
// its buffers are.
type programCall struct {
	signature
	call
	program   *expr.Program
	slices    bool             // whether its buffers are in the memory of the host
	addresses []kernel.Address // of the arguments of the program
	buffers   []compute.Arg    // the results, then the arguments that are no scalars
	index     []int            // by argument of the program: in buffers, or -1
	scalars   []uint32         // by argument of the program
	at        kernel.At
}

// newProgramCall takes the arguments of a call of p apart. slices tells whether its buffers are
// in the memory of the host.
func (b *Backend) newProgramCall(op string, slices bool, p *expr.Program, args []compute.Arg) (*programCall, error) {
	c := &programCall{call: b.call(op), program: p, slices: slices}
	if err := p.Err(); err != nil {
		return nil, c.wrap(err)
	}
	c.call.op = programOp(op, p)
	c.signature.op = c.call.op
	if n := givenArgs(args); n < len(args) {
		c.at, args = args[n].(kernel.At), args[:n]
	}
	results, params := p.Results(), p.Args()
	if len(args) != len(results)+len(params) {
		return nil, c.fail(compute.ErrArgument, "%d arguments were given, and the program has %d as results and %d as arguments; give the results, then the arguments", len(args), len(results), len(params))
	}
	c.results = len(results)
	c.scalars = make([]uint32, len(params))
	for i, r := range results {
		if r.Type == expr.Uint32 {
			return nil, c.fail(compute.ErrArgument, "the result %s is a uint32, for which there are no buffers; return float32(%s), or frombits(%s)", r.Name, r.Name, r.Name)
		}
		address, _, err := c.classify(r, args[i], true)
		if err != nil {
			return nil, err
		}
		c.add(r.Name, args[i], address)
	}
	scalars := 0
	for i, a := range params {
		arg := args[len(results)+i]
		address, bits, err := c.classify(a, arg, false)
		if err != nil {
			return nil, err
		}
		c.addresses, c.index = append(c.addresses, address), append(c.index, -1)
		if address == kernel.Scalar {
			c.scalars[i] = bits
			scalars++
			continue
		}
		if r, ok := arg.(compute.Repeated); ok {
			arg = r.Of
		}
		c.index[i] = len(c.buffers)
		c.add(a.Name, arg, address)
	}
	if n := len(c.buffers); n > expr.MaxBuffers {
		return nil, c.fail(compute.ErrArgument, "%d buffers and masks, and a call may have %d; split the program", n, expr.MaxBuffers)
	}
	if scalars > expr.MaxScalars {
		return nil, c.fail(compute.ErrArgument, "%d scalars, and a call may have %d; split the program", scalars, expr.MaxScalars)
	}
	return c, nil
}

// programOp returns op with the name of p, as errors have it, unless p is of the front itself.
func programOp(op string, p *expr.Program) string {
	if p == fill || p == identity {
		return op
	}
	return op + " " + p.Name()
}

// givenArgs returns the number of args that a user gave: without a kernel.At.
func givenArgs(args []compute.Arg) int {
	if n := len(args); n > 0 {
		if _, ok := args[n-1].(kernel.At); ok {
			return n - 1
		}
	}
	return len(args)
}

func (c *programCall) add(name string, arg compute.Arg, address kernel.Address) {
	c.names = append(c.names, name)
	c.signature.addresses = append(c.signature.addresses, address)
	c.buffers = append(c.buffers, arg)
}

// classify returns the address of an argument of the type of p, or of a result, and the bits if
// it is a scalar. Whether a buffer is one of the backend is not looked at.
func (c *programCall) classify(p expr.Param, arg compute.Arg, result bool) (kernel.Address, uint32, error) {
	switch v := arg.(type) {
	case compute.F32:
		if p.Type == expr.Float32 && !result {
			return kernel.Scalar, math.Float32bits(float32(v)), nil
		}
	case compute.U32:
		if p.Type == expr.Uint32 && !result {
			return kernel.Scalar, uint32(v), nil
		}
	case compute.Bool:
		if p.Type == expr.Bool && !result {
			bits := uint32(0)
			if v {
				bits = 1
			}
			return kernel.Scalar, bits, nil
		}
	case compute.Repeated:
		if p.Type == expr.Float32 && !result && c.floats(v.Of) {
			if v.Col {
				return kernel.Col, 0, nil
			}
			return kernel.Row, 0, nil
		}
	default:
		if p.Type == expr.Float32 && c.floats(arg) {
			return kernel.Element, 0, nil
		}
		if p.Type == expr.Bool && c.bits(arg) {
			return kernel.Bit, 0, nil
		}
	}
	return 0, 0, c.refuse(p, arg, result)
}

// floats reports whether arg has elements, and bits whether it has bits, where the call has its
// buffers.
func (c *programCall) floats(arg compute.Arg) bool {
	if c.slices {
		_, ok := arg.(compute.Slice)
		return ok
	}
	_, ok := arg.(compute.Buffer)
	return ok
}

func (c *programCall) bits(arg compute.Arg) bool {
	if c.slices {
		_, ok := arg.(compute.Words)
		return ok
	}
	_, ok := arg.(compute.Mask)
	return ok
}

// refuse returns the error for an argument that p cannot be.
func (c *programCall) refuse(p expr.Param, arg compute.Arg, result bool) error {
	floats, bits, other := "a Buffer", "a Mask", "RunSlices"
	if c.slices {
		floats, bits, other = "a Slice", "Words", "Run"
	}
	kind, want := "argument", map[expr.Type]string{
		expr.Float32: floats + ", Row, Col or F32", expr.Uint32: "a U32", expr.Bool: bits + " or a Bool",
	}[p.Type]
	if result {
		kind, want = "result", map[expr.Type]string{expr.Float32: floats, expr.Bool: bits}[p.Type]
	}
	given := fmt.Sprintf("%T", arg)
	if repeated, ok := arg.(compute.Repeated); ok {
		arg = repeated.Of
		given = fmt.Sprintf("Row of a %T", arg)
		if repeated.Col {
			given = fmt.Sprintf("Col of a %T", arg)
		}
	}
	if check.IsNil(arg) && p.Type != expr.Uint32 {
		return c.fail(compute.ErrForeignBuffer, "the %s %s is nil; give %s", kind, p.Name, want)
	}
	elsewhere := programCall{slices: !c.slices}
	if elsewhere.floats(arg) || elsewhere.bits(arg) {
		want += ", or call " + other
	}
	return c.fail(compute.ErrArgument, "the %s %s is a %v, and %s was given; give %s", kind, p.Name, p.Type, given, want)
}

// compile returns the code of the call. b is entered.
func (c *programCall) compile(b *Backend) (*compiled, error) {
	code, err := b.programs.get(c.program, c.addresses, b.device.Compile)
	if err != nil {
		return nil, b.failed(c.call.op, "", err)
	}
	return code, nil
}

// placed returns the operands of code, given those of c in memory.
func placed[M any](c *programCall, code *compiled, n int, memory func(i int) M) []kernel.Operand[M] {
	list := make([]kernel.Operand[M], 0, len(c.buffers))
	add := func(i int) {
		length := n
		address := c.signature.addresses[i]
		if address == kernel.Row || address == kernel.Col {
			length = c.buffers[i].Len()
		}
		list = append(list, kernel.Operand[M]{Memory: memory(i), Len: length, Period: period(address, length, n, c.at)})
	}
	for i := range c.results {
		add(i)
	}
	for i := range code.kernel.Inputs {
		add(c.index[code.kernel.Arg(i)])
	}
	return list
}

// launch returns the call of code on n elements of all, the operands.
func (c *programCall) launch(code *compiled, all []*memory, n int) *Call {
	k := code.kernel
	call := &Call{
		Kernel: k, Code: code.code, N: n, Index: c.at.Index, Total: max(c.at.Total, n), Params: make([]uint32, len(k.Params)),
		Operands: placed(c, code, n, func(i int) Memory { return all[i].device }),
	}
	k.Eval(call.Params, c.scalars, make([]uint64, k.Scratch()))
	return call
}

// prepared implements compute.Call.
type prepared struct {
	b    *Backend
	call *programCall
	code *compiled

	mu      sync.Mutex // guards what follows
	all     []*memory
	sorted  []*store
	launch  Call
	scratch []uint64 // of Kernel.Eval
}

// Run implements compute.Backend.
func (b *Backend) Run(p *expr.Program, args ...compute.Arg) error {
	c, err := b.prepare("run", p, args)
	if err != nil {
		return err
	}
	return c.Run()
}

// Prepare implements compute.Backend.
func (b *Backend) Prepare(p *expr.Program, args ...compute.Arg) (compute.Call, error) {
	c, err := b.prepare("prepare", p, args)
	if err != nil {
		return nil, err
	}
	c.call.call.op = "run " + p.Name()
	c.call.signature.op = c.call.call.op
	return c, nil
}

func (b *Backend) prepare(op string, p *expr.Program, args []compute.Arg) (*prepared, error) {
	if err := b.enter(op); err != nil {
		return nil, err
	}
	defer b.calls.RUnlock()
	if err := b.usable(op); err != nil {
		return nil, err
	}
	c, err := b.newProgramCall(op, false, p, args)
	if err != nil {
		return nil, err
	}
	pr := &prepared{b: b, call: c}
	if pr.all, err = b.ownAll(c); err != nil {
		return nil, err
	}
	if pr.code, err = c.compile(b); err != nil {
		return nil, err
	}
	pr.sorted = byID(make([]*store, len(pr.all)), pr.all)
	lockAll(pr.sorted)
	defer unlockAll(pr.sorted)
	if err := c.check(b, pr.all, c.at); err != nil {
		return nil, err
	}
	pr.launch = *c.launch(pr.code, pr.all, pr.all[c.last()].n)
	pr.scratch = make([]uint64, pr.code.kernel.Scratch())
	return pr, nil
}

// Run implements compute.Call.
func (pr *prepared) Run() error {
	pr.mu.Lock()
	defer pr.mu.Unlock()
	b := pr.b
	if b.unsure.Load() {
		if err := b.usable(pr.call.call.op); err != nil {
			return err
		}
	}
	lockAll(pr.sorted)
	defer unlockAll(pr.sorted)
	for i, m := range pr.all {
		if m.released {
			return pr.call.released(pr.call.names[i])
		}
	}
	if b.unsure.Load() { // since a call for which this one waited
		if err := b.usable(pr.call.call.op); err != nil {
			return err
		}
	}
	if pr.launch.N == 0 {
		return nil
	}
	if err := b.device.Launch(&pr.launch); err != nil {
		return b.failed(pr.call.call.op, elements(pr.launch.N), err)
	}
	return nil
}

// Set implements compute.Call.
func (pr *prepared) Set(name string, v compute.Arg) error {
	c := *pr.call
	c.call.op = "set " + name + " of " + c.program.Name()
	for i, p := range c.program.Args() {
		if p.Name != name {
			continue
		}
		if c.addresses[i] != kernel.Scalar {
			return c.fail(compute.ErrArgument, "it is no scalar in this call; Write to its buffer, or Prepare another call")
		}
		address, bits, err := c.classify(p, v, false)
		if err != nil {
			return err
		}
		if address != kernel.Scalar {
			return c.fail(compute.ErrArgument, "it is a scalar in this call, and a %T was given; Prepare another call", v)
		}
		pr.mu.Lock()
		defer pr.mu.Unlock()
		c.scalars[i] = bits
		pr.code.kernel.Eval(pr.launch.Params, c.scalars, pr.scratch)
		return nil
	}
	return c.fail(compute.ErrArgument, "the program has no argument %s", name)
}
