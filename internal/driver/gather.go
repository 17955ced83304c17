package driver

import (
	"math"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
)

// fill sets elements to a value.
var fill = expr.MustParse("func fill(v float32) (dst float32) { return v }")

// Fill implements compute.Backend.
func (b *Backend) Fill(dst compute.Buffer, v float32) error {
	c, err := b.prepare("fill", fill, []compute.Arg{dst, compute.F32(v)})
	if err != nil {
		return err
	}
	return c.Run()
}

// Gather implements compute.Backend.
func (b *Backend) Gather(dst, src, index compute.Buffer) error {
	const op = "gather"
	if err := b.enter(op); err != nil {
		return err
	}
	defer b.calls.RUnlock()
	if err := b.usable(op); err != nil {
		return err
	}
	c := b.call(op)
	var operands [3]*memory
	names := [...]string{"dst", "src", "index"}
	for i, buf := range []compute.Buffer{dst, src, index} {
		if operands[i] = b.own(buf); operands[i] == nil || operands[i].isMask {
			return c.foreign(names[i], buf, false)
		}
	}
	sorted := byID(make([]*store, len(operands)), operands[:])
	lockAll(sorted)
	defer unlockAll(sorted)
	for i, m := range operands {
		if m.released {
			return c.released(names[i])
		}
		if i > 0 && operands[0].overlaps(m) {
			return c.fail(compute.ErrOverlap, "dst and %s share memory; give dst a buffer of its own", names[i])
		}
	}
	to, from, at := operands[0], operands[1], operands[2]
	if to.n == 0 && at.n == 0 {
		return nil
	}
	if at.n == 0 || to.n%at.n != 0 {
		return c.fail(compute.ErrLength, "dst has %d elements, and index has %d; give one for each row of dst", to.n, at.n)
	}
	width := to.n / at.n
	if width == 0 {
		return nil
	}
	if from.n%width != 0 {
		return c.fail(compute.ErrLength, "dst has rows of %d elements, as there are %d in it for %d of index, and src has %d, which are no such rows", width, to.n, at.n, from.n)
	}
	if err := b.usable(op); err != nil { // since a call for which this one waited
		return err
	}
	var err error
	if rows := from.n / width; rows > 0 {
		err = b.device.Gather(to.device, from.device, at.device, width, rows, at.n)
	} else {
		err = b.device.Write(to.device, slices.Repeat([]float32{float32(math.NaN())}, to.n))
	}
	if err != nil {
		return b.failed(op, elements(to.n), err)
	}
	return nil
}

// RowOf returns the row that v, an element of an index, names, of those that there are, and whether
// it names one.
func RowOf(v float32, rows int) (row int, ok bool) {
	if !(v >= 0 && float64(v) < float64(rows)) || v != float32(int(v)) {
		return 0, false
	}
	return int(v), true
}
