package shard

import (
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/linear"
)

// identity is the program that reduces values which are already computed.
var identity = expr.MustParse("identity(x) = x")

// CompileReduce implements driver.Device. It leaves it to the members to compile.
func (d *device) CompileReduce(k *kernel.Kernel, _ compute.Reduction) (driver.Code, error) {
	return &code{program: expr.FromIR(k.Body)}, nil
}

// Reduce implements driver.Device.
func (d *device) Reduce(c *driver.ReduceCall) error {
	if c.Along == compute.Cols(1) { // one column, of which no member would have a long part
		all := *c
		all.Along = compute.All()
		c = &all
	}
	l := &lent{device: d}
	return l.release(l.reduce(c))
}

func (l *lent) reduce(c *driver.ReduceCall) error {
	parts := place(&c.Call, 1)
	masks := slices.Contains(c.Kernel.Inputs, kernel.Bit)
	switch {
	case parts == nil || masks && len(parts) > 1: // a mask cannot be cut where a sequence ends
		return l.reduceValues(c)
	case len(parts) == 1:
		return l.reduceOn(parts[0].member, c)
	}
	return l.reducePieces(c, divide(c, parts))
}

// reducePieces reduces pieces. The results of rows go to their places, and the host combines others.
func (l *lent) reducePieces(c *driver.ReduceCall, pieces []piece) error {
	in := &inputs{lent: l, call: &c.Call, operands: c.Operands[1:]}
	out := c.Operands[0].Memory.(memory)
	rows := c.Along.Kind == compute.AxisRows
	run := make(memory, len(pieces))
	calls := make([][]compute.Arg, len(pieces))
	made := make([]compute.Buffer, len(pieces))
	from := make([]int, len(pieces)+1) // in all results
	var back []moved
	for i, p := range pieces {
		run[i] = part{member: p.member, from: p.from, to: p.to}
		from[i+1] = from[i] + p.results
		var err error
		if rows {
			made[i], err = l.output(p.member, out.cut(from[i], from[i+1]), false, &back)
		} else {
			made[i], err = l.alloc(p.member, p.results)
		}
		if err != nil {
			return err
		}
		if calls[i], err = in.stage(p.member, p.from, p.to); err != nil {
			return err
		}
	}
	var results []float32
	if !rows {
		results = make([]float32, from[len(pieces)])
	}
	err := l.each(run, func(i int, p *part) error {
		defer p.launched.Store(true)
		free, err := in.upload(p.member, calls[i])
		defer free()
		if err != nil {
			return err
		}
		if err := p.Reduce(made[i], pieces[i].reduction, pieces[i].along, c.Code.(*code).program, calls[i]...); err != nil || rows {
			return err
		}
		return made[i].Read(results[from[i]:from[i+1]])
	})
	switch {
	case err != nil:
		return err
	case rows:
		return l.moveBack(back)
	}
	return l.Write(out, combine(c, results, out.len()))
}

// reduceOn reduces on one member.
func (l *lent) reduceOn(at *member, c *driver.ReduceCall) error {
	var back []moved
	in := &inputs{lent: l, call: &c.Call, operands: c.Operands[1:]}
	out, err := l.output(at, c.Operands[0].Memory.(memory), false, &back)
	if err != nil {
		return err
	}
	args, err := in.stage(at, 0, c.N)
	if err != nil {
		return err
	}
	err = l.each(memory{{member: at, to: c.N}}, func(_ int, p *part) error {
		defer p.launched.Store(true)
		free, err := in.upload(at, args)
		defer free()
		if err != nil {
			return err
		}
		return p.Reduce(out, c.Reduction, c.Along, c.Code.(*code).program, args...)
	})
	if err != nil {
		return err
	}
	return l.moveBack(back)
}

// reduceValues computes the values first, where they are, and then reduces them.
func (l *lent) reduceValues(c *driver.ReduceCall) error {
	values, err := l.Alloc(c.N, false)
	if err != nil {
		return err
	}
	l.parts = append(l.parts, values.(memory)...)
	call := c.Call
	call.Operands = slices.Clone(call.Operands)
	call.Operands[0] = kernel.Operand[driver.Memory]{Memory: values, Len: c.N}
	if err := l.run(c.Code.(*code), &call); err != nil {
		return err
	}
	k := kernel.New(identity.IR(), []kernel.Address{kernel.Element})
	return l.reduce(&driver.ReduceCall{
		Call: driver.Call{
			Kernel: k, Code: &code{program: identity}, N: c.N, Total: c.N,
			Operands: []kernel.Operand[driver.Memory]{c.Operands[0], call.Operands[0]},
		},
		Reduction: c.Reduction, Along: c.Along,
	})
}

// A piece is what one member reduces: elements, and how.
type piece struct {
	*member
	from, to  int
	reduction compute.Reduction
	along     compute.Axis
	results   int
}

// divide returns the pieces of a reduction of elements in parts, in ascending order. A piece ends
// where a sequence or one of its chunks does, and what crosses the end of a part goes to the
// member that has the most of it.
func divide(c *driver.ReduceCall, parts memory) []piece {
	ordered := c.Reduction == compute.Sum || c.Reduction == compute.Mean
	all := piece{reduction: c.Reduction, along: c.Along}
	if c.Reduction == compute.Mean && c.Along.Kind != compute.AxisRows {
		all.reduction = compute.Sum
	}
	unit, single := max(c.Along.Columns, 1), false // elements that stay together, and whether each is a piece
	switch {
	case ordered && c.Along.Kind == compute.AxisAll:
		unit, all.along = linear.Chunk, compute.Rows(linear.Chunk)
	case ordered && c.Along.Kind == compute.AxisCols:
		unit, single = unit*linear.Chunk, true
	}
	var pieces []piece
	add := func(at *member, from, to int) {
		p := all
		p.member, p.from, p.to = at, from, to
		switch n := to - from; {
		case p.along.Kind == compute.AxisCols:
			p.results = p.along.Columns
		case p.along.Kind == compute.AxisRows && n%unit == 0:
			p.results = n / unit
		default: // the last chunk too
			p.along, p.results = compute.All(), 1
		}
		pieces = append(pieces, p)
	}
	done := 0
	for _, p := range parts {
		if p.to <= done {
			continue
		}
		for end := p.to / unit * unit; done < end; {
			to := end
			if single {
				to = done + unit
			}
			add(p.member, done, to)
			done = to
		}
		if done < p.to {
			to := min(done+unit, c.N)
			add(parts.cut(done, to).most(), done, to)
			done = to
		}
	}
	return pieces
}

// combine returns the n results of a reduction, not along rows, from those of its pieces.
func combine(c *driver.ReduceCall, results []float32, n int) []float32 {
	of, length := linear.Sum, c.N/n
	switch c.Reduction {
	case compute.Max:
		of = linear.Max
	case compute.Min:
		of = linear.Min
	}
	out := make([]float32, n)
	for i := range out {
		out[i] = of(len(results)/n, func(k int) float32 { return results[k*n+i] })
		if c.Reduction == compute.Mean {
			out[i] /= float32(length)
		}
	}
	return out
}
