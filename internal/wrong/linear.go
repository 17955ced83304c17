package wrong

import (
	"errors"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
)

func (b Backend) Copy(dst, src compute.Buffer) error {
	err := b.Backend.Copy(dst, src)
	if b.has("Copy of what overlaps") && errors.Is(err, compute.ErrOverlap) {
		return nil
	}
	return err
}

func (b Backend) Fill(dst compute.Buffer, v float32) error {
	if b.has("Fill") {
		v = -v
	}
	return b.Backend.Fill(dst, v)
}

func (b Backend) Gather(dst, src, index compute.Buffer) error {
	err := b.Backend.Gather(dst, src, index)
	if b.has("Gather") && err == nil {
		return b.Backend.Run(expr.MustParse("numbers(x) = where(x == x, x, 0)"), dst, dst)
	}
	return err
}

// Reduce has a bug that adds one element after the other.
func (b Backend) Reduce(out compute.Buffer, r compute.Reduction, along compute.Axis, p *expr.Program, args ...compute.Arg) error {
	err := b.Backend.Reduce(out, r, along, p, args...)
	switch {
	case err != nil || p != nil || out.Len() == 0:
	case b.has("Reduce to a sum for a mean") && r == compute.Mean:
		return b.Backend.Reduce(out, compute.Sum, along, p, args...)
	case b.has("Reduce in another order") && r == compute.Sum && along == compute.All():
		x := args[0].(compute.Buffer)
		values, sum := make([]float32, x.Len()), float32(0)
		if err := x.Read(values); err != nil {
			return err
		}
		for _, v := range values {
			sum += v
		}
		return out.Write([]float32{sum})
	}
	return err
}

// MatMul has a bug that ends the first chain early.
func (b Backend) MatMul(c, a compute.Buffer, m, k int, bb compute.Buffer, n int, options ...compute.MatMulOption) error {
	l, _ := compute.As[compute.Linear](b.Backend)
	const early = 100
	var p compute.Product
	for _, option := range options {
		if option != nil {
			option(&p)
		}
	}
	if !b.has("MatMul in other blocks") || k <= early || !p.TransposeA || p.TransposeB {
		return l.MatMul(c, a, m, k, bb, n, options...)
	}
	var err error
	view := func(of compute.Buffer, from, to int) compute.Buffer {
		v, e := of.View(from, to)
		err = errors.Join(err, e)
		return v
	}
	a0, a1, b0, b1 := view(a, 0, early*m), view(a, early*m, k*m), view(bb, 0, early*n), view(bb, early*n, k*n)
	return errors.Join(err,
		l.MatMul(c, a0, m, early, b0, n, options...),
		l.MatMul(c, a1, m, k-early, b1, n, append(options, compute.Accumulate)...),
		a0.Release(), a1.Release(), b0.Release(), b1.Release())
}
