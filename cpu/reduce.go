package cpu

import (
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/ir"
	program "github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/linear"
)

// A reducer is the code of a reduction: a plan, whose values are folded while they are in the
// L1 cache. A copy is folded from where it is.
type reducer struct {
	*code
	isCopy bool
}

// CompileReduce implements driver.Device. All reductions of a kernel have the same code.
func (d *device) CompileReduce(k *program.Kernel, _ compute.Reduction) (driver.Code, error) {
	kind, fm, ok := function.Shipped(k)
	c := &code{results: 1, bits: k.Bits() - 32, operands: append([]program.Address{program.Element}, k.Inputs...)}
	if ok && kind == 0 && fm == function.Copy {
		return &reducer{c, true}, nil
	}
	var err error
	if c.direct, err = newPlan(&d.set, k, false); err != nil {
		return nil, err
	}
	if c.direct.tile == allInOne { // it has no room for as many elements
		c.direct.tile = longTile
	}
	return &reducer{c, false}, nil
}

// Reduce implements driver.Device.
func (d *device) Reduce(c *driver.ReduceCall) error {
	code := c.Code.(*reducer)
	f := d.frames.take()
	defer d.frames.put(f)
	out := c.Operands[0].Memory.(*memory).elements
	l := &f.reducing().level
	*l = level{rows: 1, columns: c.N}
	switch n := c.Along.Columns; c.Along.Kind {
	case compute.AxisRows:
		l.rows, l.columns = c.N/n, n
	case compute.AxisCols:
		if n > 1 {
			l.rows, l.columns, l.down = c.N/n, n, true
		}
	}
	count := l.columns
	if l.down {
		count = l.rows
	}
	op := c.Reduction
	if op == compute.Mean {
		op = compute.Sum
	}
	l.fold, l.none = &d.set.folds[op], foldNone[op]
	if op == compute.Sum {
		l.pairs = d.set.primitives[ir.AddF32][0]
	}
	if code.isCopy {
		l.src = c.Operands[1].Memory.(*memory).start()
		d.foldAll(f, out, moving(code.bits, cacheSpeed), moving(code.bits, memorySpeed))
	} else {
		r := &f.tiles.call
		for i := range c.Operands {
			o := &c.Operands[i]
			r.operands = append(r.operands, program.Operand[unsafe.Pointer]{Memory: o.Memory.(*memory).start(), Len: o.Len, Period: o.Period})
		}
		r.plan, r.n, r.index, r.params, r.folded = code.direct, c.N, c.Index, c.Params, true
		l.call = r
		known := d.cost(code.code, c.Params)
		d.foldAll(f, out, known, max(known, moving(code.bits, memorySpeed)))
		clear(r.operands)
		*r = call{operands: r.operands[:0]}
	}
	if c.Reduction == compute.Mean {
		d.divide(f, out, float32(count))
	}
	*l = level{}
	return nil
}

// foldAll folds the elements of the level in f into out, level after level. The costs are those
// of the values of the first.
func (d *device) foldAll(f *frame, out []float32, known, cold cost) {
	s := f.folding
	l := &s.level
	for i := 0; ; i++ {
		length, others := l.columns, l.rows
		if l.down {
			length, others = others, length
		}
		chunks := ceil(length, linear.Chunk)
		dst := out
		if chunks > 1 {
			s.sums[i%2] = extend(s.sums[i%2], chunks*others)
			dst = s.sums[i%2]
		}
		l.dst = dst
		d.foldLevel(f, l, known, cold)
		if chunks == 1 {
			return
		}
		l.call, l.src = nil, unsafe.Pointer(&dst[0])
		if l.down {
			l.rows = chunks
		} else {
			l.columns = chunks
		}
		known, cold = moving(32, cacheSpeed), moving(32, cacheSpeed)
	}
}

// foldLevel computes a level on as many cores as pay.
func (d *device) foldLevel(f *frame, l *level, known, cold cost) {
	size := l.layOut(d.pool.options.cores())
	perUnit := func(c cost) cost { return c*cost(size) + 1 }
	j := job{task: l, call: l.call, n: l.units, cost: perUnit(known), cold: perUnit(cold)}
	j.chunk = max(1, int(int64(chunkTime)*costUnit/(int64(max(known, 1))*int64(size))))
	d.pool.do(&j, f)
}

// divide divides the elements of list by n.
func (d *device) divide(f *frame, list []float32, n float32) {
	a := &f.args
	blocks := len(list) &^ (blockSize - 1)
	if blocks > 0 {
		a.ptr[0], a.n, a.params[1] = unsafe.Pointer(&list[0]), blocks, n
		a.ptr[1] = a.ptr[0]
		d.set.primitives[ir.DivF32][0b10](a)
		a.forget()
	}
	for i := range list[blocks:] {
		list[blocks+i] /= n
	}
}
