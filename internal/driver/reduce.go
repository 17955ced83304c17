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
	op := "reduce"
	if err := b.enter(op); err != nil {
		return err
	}
	defer b.calls.RUnlock()
	if err := b.usable(op); err != nil {
		return err
	}
	if p == nil {
		p = identity
	}
	if r > compute.Mean {
		return b.call(op).fail(compute.ErrArgument, "%v is no reduction; give Sum, Max, Min or Mean", r)
	}
	op = r.String() + " of"
	c, err := b.newProgramCall(op, false, p, append([]compute.Arg{out}, args...))
	if err != nil {
		return err
	}
	if len(p.Results()) != 1 || p.Results()[0].Type != expr.Float32 {
		return c.fail(compute.ErrArgument, "the program has %d results, and one is reduced, a float32", len(p.Results()))
	}
	if !slices.Contains(c.addresses, kernel.Element) && !slices.Contains(c.addresses, kernel.Bit) {
		return c.fail(compute.ErrArgument, "no argument has an element for each value; give one as a Buffer or a Mask, not as a Row, a Col or a scalar")
	}
	all, err := b.ownAll(c)
	if err != nil {
		return err
	}
	sorted := byID(make([]*store, len(all)), all)
	lockAll(sorted)
	defer unlockAll(sorted)
	n, err := c.checkReduce(b, all, along)
	if err != nil {
		return err
	}
	if all[0].n == 0 {
		return nil
	}
	if n == 0 {
		return b.fillEmpty(c, all[0], r)
	}
	return b.reduce(c, all, r, along, n)
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
	v := reduceHost(r, 0, nil)
	if err := b.device.Write(out.device, slices.Repeat([]float32{v}, out.n)); err != nil {
		return b.failed(c.call.op, elements(out.n), err)
	}
	return nil
}

// reduce computes a reduction of n elements. The operands are locked.
func (b *Backend) reduce(c *programCall, all []*memory, r compute.Reduction, along compute.Axis, n int) error {
	reducer, ok := b.device.(Reducer)
	programs, compile := &b.reductions[0], func(*kernel.Kernel) (Code, error) { return nil, nil }
	if ok {
		programs, compile = &b.reductions[r], func(k *kernel.Kernel) (Code, error) { return reducer.CompileReduce(k, r) }
	}
	code, err := programs.get(c.program, c.addresses, compile)
	if err != nil {
		return b.failed(c.call.op, "", err)
	}
	call := c.launch(code, all, n)
	call.Operands[0].Len = all[0].n
	if ok {
		err = reducer.Reduce(&ReduceCall{Call: *call, Reduction: r, Along: along})
	} else {
		err = b.reduceOnHost(call, r, along)
	}
	if err != nil {
		return b.failed(c.call.op, elements(n), err)
	}
	return nil
}

// reduceOnHost computes a reduction of a device that has none.
func (b *Backend) reduceOnHost(call *Call, r compute.Reduction, along compute.Axis) error {
	h, err := b.toHost(call)
	if err != nil {
		return err
	}
	values := make([]float32, h.N)
	h.Operands[0].Memory = Host{Floats: values}
	Eval(h)
	out := make([]float32, call.Operands[0].Len)
	for i := range out {
		switch n := along.Columns; along.Kind {
		case compute.AxisAll:
			out[i] = reduceHost(r, len(values), func(k int) float32 { return values[k] })
		case compute.AxisRows:
			out[i] = reduceHost(r, n, func(k int) float32 { return values[i*n+k] })
		default:
			out[i] = reduceHost(r, len(values)/n, func(k int) float32 { return values[k*n+i] })
		}
	}
	return b.device.Write(call.Operands[0].Memory, out)
}

// reduceHost returns the reduction of n elements.
func reduceHost(r compute.Reduction, n int, at func(i int) float32) float32 {
	return [...]func(int, func(int) float32) float32{
		compute.Sum: linear.Sum, compute.Max: linear.Max, compute.Min: linear.Min, compute.Mean: linear.Mean,
	}[r](n, at)
}

// toHost returns call with its inputs in the memory of the host. The results have none.
func (b *Backend) toHost(call *Call) (*HostCall, error) {
	h := &HostCall{Kernel: call.Kernel, N: call.N, Index: call.Index, Total: call.Total, Params: call.Params}
	for i, o := range call.Operands {
		on := kernel.Operand[Host]{Len: o.Len, Period: o.Period}
		if i >= len(call.Kernel.Results) {
			var err error
			if call.Kernel.Inputs[i-len(call.Kernel.Results)] == kernel.Bit {
				on.Memory.Words = make([]uint64, (o.Len+63)/64)
				err = b.device.ReadMask(o.Memory, on.Memory.Words)
			} else {
				on.Memory.Floats = make([]float32, o.Len)
				err = b.device.Read(o.Memory, on.Memory.Floats)
			}
			if err != nil {
				return nil, err
			}
		}
		h.Operands = append(h.Operands, on)
	}
	return h, nil
}
