package play

import (
	"fmt"
	"math"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/values"
)

// valid is an activation for refusal, of a call that has none.
var valid = compute.LeakyReLU(0)

func (p *Player) copy() error {
	src := p.buffer(nil)
	dst := p.buffer(src)
	done, err := p.call(refusal(valid, dst, src), func() error { return p.s.b.Copy(dst.buffer(), src.buffer()) })
	if done {
		dst.values, dst.known, dst.copied = slices.Clone(src.values), src.known, src.copied
	}
	return err
}

func (p *Player) fillAll() error {
	dst, v := p.buffer(nil), p.script.float()
	done, err := p.call(refusal(valid, dst), func() error { return p.s.b.Fill(dst.buffer(), v) })
	if done {
		dst.values = repeat([]float32{v}, dst.n)
		dst.known, dst.copied = !p.flushed(dst.values), false
	}
	return err
}

// part returns a part of n elements, rarely a bad one, and the error for it.
func (p *Player) part(n int) (from, to int, want error) {
	from = p.script.below(256) * n / 255
	to = from + p.script.below(256)*(n-from)/255
	switch p.script.below(64) {
	case 0:
		return -1, to, compute.ErrLength
	case 1:
		return from, n + 1, compute.ErrLength
	case 2:
		return to + 1, to, compute.ErrLength
	}
	return from, to, nil
}

// view writes to a part of a buffer, and reads another one, of it or of a view.
func (p *Player) view() error {
	of := p.buffer(nil)
	if of.foreign {
		return nil
	}
	from, to, want := p.part(of.n)
	if of.released {
		want = compute.ErrClosed
	}
	v := &held{known: of.known, copied: of.copied}
	done, err := p.call(want, func() (err error) {
		v.memory, err = of.buffer().View(from, to)
		return err
	})
	if !done {
		return err
	}
	if of.values == nil { // its contents were never known
		of.values = make([]float32, of.n)
	}
	v.n, v.values = to-from, of.values[from:to]
	defer v.memory.Release()
	if err := p.readBuffer(v, v.n, 1); err != nil {
		return fmt.Errorf("a view from %d to %d: %w", from, to, err)
	}
	if err := p.overlapping(of, from, to); err != nil {
		return err
	}
	at, end, _ := p.part(v.n)
	if at = max(at, 0); at > end || end > v.n {
		return nil
	}
	w := p.script.values(end - at)
	done, err = p.call(nil, func() error { return v.buffer().WriteAt(w, at) })
	if !done {
		return err
	}
	of.values = slices.Clone(of.values) // another buffer may have them too
	copy(of.values[from+at:], w)
	of.known = of.known && !p.flushed(w)
	part := &held{n: end - at, known: of.known, copied: of.copied, values: w}
	got, err := read(p, part, part.n, part.n, 2, 54321, func(dst []float32) error { return of.buffer().ReadAt(dst, from+at) })
	if got == nil || !part.known {
		return err
	}
	return equal(got, w, values.Same)
}

// overlapping copies between views that overlap, which must fail.
func (p *Player) overlapping(of *held, from, to int) error {
	if to-from < 3 {
		return nil
	}
	var views [2]compute.Buffer
	for i := range views {
		done, err := p.call(nil, func() (err error) {
			views[i], err = of.buffer().View(from+i, to-1+i)
			return err
		})
		if !done {
			return err
		}
		defer views[i].Release()
	}
	_, err := p.call(compute.ErrOverlap, func() error { return p.s.b.Copy(views[0], views[1]) })
	return err
}

// temporary returns a new buffer that holds v, or nil if the backend is being closed.
func (p *Player) temporary(v []float32) (buf compute.Buffer, err error) {
	done, err := p.call(nil, func() (err error) {
		buf, err = p.s.b.Upload(v)
		return err
	})
	if !done {
		return nil, err
	}
	return buf, nil
}

// with calls do with buffers that hold the values, and compares the first of them with want
// then, unless the device may have flushed subnormals.
func (p *Player) with(want []float32, fails error, do func(bufs []compute.Buffer) error, all ...[]float32) error {
	var bufs []compute.Buffer
	known := !p.flushed(want)
	for _, v := range all {
		buf, err := p.temporary(v)
		if buf == nil {
			return err
		}
		defer buf.Release()
		bufs, known = append(bufs, buf), known && !p.flushed(v)
	}
	if done, err := p.call(fails, func() error { return do(bufs) }); !done {
		return err
	}
	out := &held{n: len(want), known: known, values: want, memory: bufs[0]}
	return p.readBuffer(out, out.n, 1)
}

func (p *Player) gather() error {
	width, rows, n := 1+p.script.below(20), 1+p.script.below(20), p.script.below(30)
	src := p.script.values(rows * width)
	index := make([]float32, n)
	var want []float32
	for i := range index {
		row := p.script.below(32)
		switch index[i] = float32(row); {
		case row < rows:
			want = append(want, src[row*width:(row+1)*width]...)
			continue
		case row == 31:
			index[i] = p.script.float()
			if v := float64(index[i]); v >= 0 && v < float64(rows) { // it may be a row
				index[i] = -1
			}
		}
		want = append(want, repeat([]float32{float32(math.NaN())}, width)...)
	}
	return p.with(want, nil, func(bufs []compute.Buffer) error {
		return p.s.b.Gather(bufs[0], bufs[1], bufs[2])
	}, make([]float32, len(want)), src, index)
}

func (p *Player) reduce() error {
	r := compute.Reduction(p.script.below(4))
	rows, cols := p.script.below(100), 1+p.script.below(60)
	along := []compute.Axis{compute.All(), compute.Rows(cols), compute.Cols(cols)}[p.script.below(3)]
	xs := p.script.values(rows * cols)
	of := [...]func(int, func(int) float32) float32{linear.Sum, linear.Max, linear.Min, linear.Mean}[r]
	var want []float32
	switch along.Kind {
	case compute.AxisAll:
		want = append(want, of(len(xs), func(i int) float32 { return xs[i] }))
	case compute.AxisRows:
		for i := range rows {
			want = append(want, of(cols, func(j int) float32 { return xs[i*cols+j] }))
		}
	default:
		for j := range cols {
			want = append(want, of(rows, func(i int) float32 { return xs[i*cols+j] }))
		}
	}
	var fails error
	if p.script.oneIn(16) {
		want, fails = append(want, 0), compute.ErrLength
	}
	return p.with(want, fails, func(bufs []compute.Buffer) error {
		return p.s.b.Reduce(bufs[0], r, along, nil, bufs[1])
	}, make([]float32, len(want)), xs)
}

func (p *Player) matMul() error {
	l, ok := compute.As[compute.Linear](p.s.b)
	if !ok {
		return nil
	}
	kinds := p.script.below(8)
	m, k, n := 1+p.script.below(8), p.script.below(20), 1+p.script.below(12) // since the reference is slow
	if p.script.oneIn(4) {
		k += linear.Block - 10
	}
	o := linear.Product{M: m, K: k, N: n, TransposeA: kinds&1 != 0, TransposeB: kinds&2 != 0, Accumulate: kinds&4 != 0}
	var options []compute.MatMulOption
	for i, option := range []compute.MatMulOption{compute.TransposeA, compute.TransposeB, compute.Accumulate} {
		if kinds>>i&1 != 0 {
			options = append(options, option)
		}
	}
	a, b, c := p.script.values(m*k), p.script.values(k*n), p.script.values(m*n)
	want := slices.Clone(c)
	linear.MatMul(o, want, a, b)
	var fails error
	rows := m
	if p.script.oneIn(16) {
		rows, fails = m+1, compute.ErrLength
	}
	return p.with(want, fails, func(bufs []compute.Buffer) error {
		return l.MatMul(bufs[0], bufs[1], rows, k, bufs[2], n, options...)
	}, c, a, b)
}
