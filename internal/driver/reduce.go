package driver

import (
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/linear"
)

// identity is the program of a nil one.
var identity = expr.MustParse("identity(x) = x")

// Reduce implements compute.Backend.
func (b *Backend) Reduce(out compute.Buffer, r compute.Reduction, along compute.Axis, p *expr.Program, args ...compute.Arg) error {
	const op = "reduce"
	if err := b.enter(op); err != nil {
		return err
	}
	defer b.calls.RUnlock()
	if err := b.usable(op); err != nil {
		return err
	}
	if r > compute.Mean {
		return b.call(op).fail(compute.ErrArgument, "%v is no reduction; give Sum, Max, Min or Mean", r)
	}
	c, err := b.reduceCall(out, r, p, args)
	if err != nil {
		return err
	}
	if !slices.Contains(c.addresses, kernel.Element) && !slices.Contains(c.addresses, kernel.Bit) {
		return c.fail(compute.ErrArgument, "no argument has an element for each value; give one as a Buffer or a Mask, not as a Row, a Col or a scalar")
	}
	all, err := b.ownAll(c)
	if err != nil {
		return err
	}
	code, err := b.reductions[r].get(c.program, c.addresses, func(k *kernel.Kernel) (Code, error) { return b.device.CompileReduce(k, r) })
	if err != nil {
		return b.failed(c.call.op, "", err)
	}
	sorted := byID(make([]*store, len(all)), all)
	lockAll(sorted)
	defer unlockAll(sorted)
	n, err := c.checkReduce(b, all, along)
	if err != nil {
		return err
	}
	if err := b.usable(c.call.op); err != nil { // since a call for which this one waited
		return err
	}
	if all[0].n == 0 {
		return nil
	}
	if n == 0 {
		return b.fillEmpty(c, all[0], r)
	}
	call := c.launch(code, all, n)
	call.Operands[0].Len = all[0].n
	if err := b.device.Reduce(&ReduceCall{Call: *call, Reduction: r, Along: along}); err != nil {
		return b.failed(c.call.op, elements(n), err)
	}
	return nil
}

// reduceCall returns the call of p, or of identity, whose result is reduced into out.
func (b *Backend) reduceCall(out compute.Buffer, r compute.Reduction, p *expr.Program, args []compute.Arg) (*programCall, error) {
	op := r.String()
	if p == nil {
		p = identity
	} else if p.Err() == nil {
		op += " of"
	}
	if err := p.Err(); err != nil {
		return nil, b.call(op).wrap(err)
	}
	cl := b.call(programOp(op, p))
	if results := p.Results(); len(results) != 1 || results[0].Type != expr.Float32 {
		return nil, cl.fail(compute.ErrArgument, "the program has %d results, of which the first is a %v; give one with one result, a float32", len(results), results[0].Type)
	}
	if given := givenArgs(args); given != len(p.Args()) {
		return nil, cl.fail(compute.ErrArgument, "%d arguments were given, and the program has %d; give these", given, len(p.Args()))
	}
	if b.own(out) == nil {
		return nil, cl.foreign("out", out, false)
	}
	return b.newProgramCall(op, false, p, append([]compute.Arg{out}, args...))
}

// ownAll returns the operands of c.
func (b *Backend) ownAll(c *programCall) ([]*memory, error) {
	var all []*memory
	for i, arg := range c.buffers {
		m := b.own(arg)
		if isMask := c.signature.addresses[i] == kernel.Bit; m == nil || m.isMask != isMask {
			return nil, c.foreign(c.names[i], arg, isMask)
		}
		all = append(all, m)
	}
	return all, nil
}

// checkReduce returns the number of elements of a reduction, or what is wrong with all, its
// operands, which are locked.
func (c *programCall) checkReduce(b *Backend, all []*memory, along compute.Axis) (n int, err error) {
	inputs := c.signature
	inputs.names, inputs.addresses, inputs.results = inputs.names[1:], inputs.addresses[1:], 0
	if all[0].released {
		return 0, c.released("out")
	}
	if err := inputs.check(b, all[1:], c.at); err != nil {
		return 0, err
	}
	n = all[1+inputs.last()].n
	want := 1
	switch {
	case along.Kind == compute.AxisAll:
	case along.Kind > compute.AxisCols || along.Columns <= 0:
		return 0, c.fail(compute.ErrArgument, "the axis is %v; give All(), or Rows or Cols of a number of columns above 0", along)
	case n%along.Columns != 0:
		return 0, c.fail(compute.ErrLength, "%s has %d elements, which are no rows of %d", inputs.names[inputs.last()], n, along.Columns)
	case along.Kind == compute.AxisRows:
		want = n / along.Columns
	default:
		want = along.Columns
	}
	if all[0].n != want {
		return 0, c.fail(compute.ErrLength, "out has %d elements, and %d elements along %v make %d; give a buffer of %[4]d", all[0].n, n, along, want)
	}
	for i, m := range all[1:] {
		if all[0].overlaps(m) {
			return 0, c.fail(compute.ErrOverlap, "out and %s share memory; give out a buffer of its own", inputs.names[i])
		}
	}
	return n, nil
}

// fillEmpty sets out to what no elements make.
func (b *Backend) fillEmpty(c *programCall, out *memory, r compute.Reduction) error {
	v := [...]func(int, func(int) float32) float32{
		compute.Sum: linear.Sum, compute.Max: linear.Max, compute.Min: linear.Min, compute.Mean: linear.Mean,
	}[r](0, nil)
	if err := b.device.Write(out.device, slices.Repeat([]float32{v}, out.n)); err != nil {
		return b.failed(c.call.op, elements(out.n), err)
	}
	return nil
}
