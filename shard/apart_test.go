package shard_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/shard"
)

// twins are two backends on which the same calls are made: a Shard, and one backend.
type twins struct {
	t    *testing.T
	r    *rand.Rand
	b    [2]compute.Backend
	held [2][]compute.Buffer // whole buffers, of which calls have views
	used [2][]interface{ Release() error }
}

// newTwins returns twins with buffers of these lengths.
func newTwins(t *testing.T, seed uint64, b compute.Backend, lengths ...int) *twins {
	w := &twins{t: t, r: rand.New(rand.NewPCG(seed, 9)), b: [2]compute.Backend{b, testenv.Open(t, cpu.Open)}}
	for i, n := range lengths {
		xs := values.Normal(n, seed+uint64(i))
		for range 5 {
			special := values.Special()
			xs[w.r.IntN(n)] = special[w.r.IntN(len(special))]
		}
		for k, b := range w.b {
			x, err := b.Upload(xs)
			if err != nil {
				t.Fatal(err)
			}
			w.held[k] = append(w.held[k], x)
		}
	}
	return w
}

// view returns a view of n elements of buffer i, at a place that is drawn.
func (w *twins) view(i, n int) [2]compute.Buffer {
	most := w.held[0][i].Len() - n
	at := []int{0, w.r.IntN(most + 1), w.r.IntN(most/64+1) * 64, most}[w.r.IntN(4)]
	if n == w.held[0][i].Len() {
		return [2]compute.Buffer{w.held[0][i], w.held[1][i]}
	}
	var views [2]compute.Buffer
	for k := range views {
		v, err := w.held[k][i].View(at, at+n)
		if err != nil {
			w.t.Fatal(err)
		}
		views[k] = v
		w.used[k] = append(w.used[k], v)
	}
	return views
}

// mask returns a mask of n bits.
func (w *twins) mask(n int) [2]compute.Mask {
	var masks [2]compute.Mask
	for k, b := range w.b {
		m, err := b.AllocMask(n)
		if err != nil {
			w.t.Fatal(err)
		}
		masks[k] = m
		w.used[k] = append(w.used[k], m)
	}
	return masks
}

// call makes a call on both, and compares all that they hold, and masks.
func (w *twins) call(what string, do func(b compute.Backend, k int) error, masks ...[2]compute.Mask) {
	w.t.Helper()
	for k, b := range w.b {
		if err := do(b, k); err != nil {
			w.t.Fatalf("%s: %v", what, err)
		}
	}
	for i, x := range w.held[0] {
		got, want := make([]float32, x.Len()), make([]float32, x.Len())
		if err := errors.Join(x.Read(got), w.held[1][i].Read(want)); err != nil {
			w.t.Fatalf("%s: %v", what, err)
		}
		for j := range got {
			if !values.Same(got[j], want[j]) {
				w.t.Fatalf("%s: element %d of buffer %d is %v, want %v", what, j, i, got[j], want[j])
			}
		}
	}
	for _, m := range masks {
		got, want := make([]uint64, (m[0].Len()+63)/64), make([]uint64, (m[0].Len()+63)/64)
		if err := errors.Join(m[0].Read(got), m[1].Read(want)); err != nil {
			w.t.Fatalf("%s: %v", what, err)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			w.t.Fatalf("%s: the mask is %x, want %x", what, got, want)
		}
	}
	for k := range w.used {
		for _, v := range w.used[k] {
			if err := v.Release(); err != nil {
				w.t.Fatal(err)
			}
		}
		w.used[k] = nil
	}
}

// end releases all, and checks that nothing is left.
func (w *twins) end(members ...compute.Backend) {
	for k := range w.held {
		for _, x := range w.held[k] {
			if err := x.Release(); err != nil {
				w.t.Error(err)
			}
		}
	}
	for _, b := range append(members, w.b[:]...) {
		if info := b.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 {
			w.t.Errorf("%d buffers of %d bytes are left on %s", info.LiveBuffers, info.LiveBytes, info.Name)
		}
	}
}

var (
	maskedSum = expr.MustParse("func maskedSum(x, r, l float32, c bool, s float32) (y float32) { return where(c, x*r, l-s) }")
	rowsOnly  = expr.MustParse("rowsOnly(x, r) = r*r")
	drawn     = expr.MustParse("drawn(x, l) = rand(3, 4)*x + l")
	unread    = expr.MustParse("func unread(z, b, x float32) (y, kept float32) { return b*x, x }")
	positive  = expr.MustParse("func positive(z, b, x float32) (y float32, c bool) { return z + b, z > x }")
	addRow    = expr.MustParse("addRow(z, r) = z + r")
	biased    = expr.MustParse("func biased(z, b, x float32) (y, kept float32) { return max(z+b, 0), z*x }")
)

// TestLikeOne makes calls on views, whose parts coincide with no others. The results are those of
// one backend.
func TestLikeOne(t *testing.T) {
	for name, open := range map[string]compute.Opener{
		"two": weighted(1, 1), "three": weighted(5, 1, 3), "of shards": ofShards,
		"measured": func() (compute.Backend, error) { return shard.New(cpus(2)...) },
	} {
		t.Run(name, func(t *testing.T) {
			sparedRace(t, name != "two")
			seeds := uint64(12)
			if testing.Short() {
				seeds = 4
			}
			b := testenv.Open(t, open)
			for seed := range seeds {
				w := newTwins(t, seed, b, 1000, 8960, 8960, 30000, 8960)
				for range 40 {
					calls := []func(){w.program, w.activation, w.masked, w.copies, w.gathers, w.reduces, w.multiplies}
					calls[w.r.IntN(len(calls))]()
				}
				w.end()
			}
		})
	}
}

// TestMembersThatAreNotLinear multiplies on the others, or on the host.
func TestMembersThatAreNotLinear(t *testing.T) {
	for linear := range 3 {
		members := cpus(2)
		for i := range members[linear:] {
			members[linear+i] = told{members[linear+i], compute.Info{Name: "plain"}}
		}
		b := testenv.Open(t, func() (compute.Backend, error) { return shard.Weighted([]float64{1, 1}, members...) })
		w := newTwins(t, 1, b, 1000, 8960, 8960, 30000, 8960)
		for range 20 {
			w.multiplies()
		}
		w.end(members...)
	}
}

func (w *twins) program() {
	n := 140 * (1 + w.r.IntN(60))
	y, z, x, r, l := w.view(1, n), w.view(2, n), w.view(3, n), w.view(0, 35), w.view(0, 28)
	if w.r.IntN(2) == 0 {
		x = y
	}
	c, d, e := w.mask(n), w.mask(n), w.mask(n)
	s := values.Normal(n, 1)
	below := expr.MustParse("func below(x, r float32) (m bool) { return x < r }")
	xs := w.view(3, n)
	w.call(fmt.Sprintf("a program, of %d", n), func(b compute.Backend, k int) error {
		return errors.Join(b.Run(below, c[k], xs[k], compute.Row(r[k])),
			b.Run(mixed, y[k], z[k], d[k], e[k], x[k], compute.Row(r[k]), compute.Col(l[k]), c[k], compute.F32(s[0]), compute.U32(7)))
	}, c, d, e)
}

func (w *twins) activation() {
	n := 1 + w.r.IntN(8960)
	y, x, d, f := w.view(1, n), w.view(3, n), w.view(2, n), compute.LeakyReLU(-0.5)
	w.call(fmt.Sprintf("activations, of %d", n), func(b compute.Backend, k int) error {
		return errors.Join(b.ForwardDerivative(f, y[k], d[k], x[k]), b.Backward(f, d[k], d[k], y[k]), b.Forward(f, y[k], y[k]))
	})
}

func (w *twins) masked() {
	n := 1 + w.r.IntN(8960)
	y, x, m, f := w.view(1, n), w.view(3, n), w.mask(n), compute.LeakyReLU(-0.5)
	w.call(fmt.Sprintf("masks, of %d", n), func(b compute.Backend, k int) error {
		return errors.Join(b.ForwardMask(f, y[k], m[k], x[k]), b.BackwardMask(f, y[k], x[k], m[k]))
	}, m)
}

func (w *twins) copies() {
	n := 1 + w.r.IntN(8960)
	y, x, z := w.view(w.r.IntN(2)+1, n), w.view(3, n), w.view(w.r.IntN(2)+1, n)
	w.call(fmt.Sprintf("a copy, of %d", n), func(b compute.Backend, k int) error {
		return errors.Join(b.Copy(y[k], x[k]), b.Fill(z[k], -0.25), z[k].WriteAt([]float32{1, 2, 3}[:min(n, 3)], n-min(n, 3)))
	})
}

func (w *twins) gathers() {
	rows := 1 + w.r.IntN(30)
	width := 1 + w.r.IntN(8960/rows)
	y, x, at := w.view(1, rows*width), w.view(3, 30000/width*width), w.view(0, rows)
	index := make([]float32, rows)
	for i := range index {
		index[i] = float32(w.r.IntN(30000/width + 1)) // one is no row
	}
	w.call(fmt.Sprintf("a gather, of %d rows of %d", rows, width), func(b compute.Backend, k int) error {
		return errors.Join(at[k].Write(index), b.Gather(y[k], x[k], at[k]))
	})
}

func (w *twins) reduces() {
	n := 140 * (1 + w.r.IntN(214))
	columns := []int{1, 4, 7, 35, n / 2, n / 4, n}[w.r.IntN(7)]
	along, results := compute.All(), 1
	switch w.r.IntN(3) {
	case 0:
		along, results = compute.Rows(columns), n/columns
	case 1:
		along, results = compute.Cols(columns), columns
	}
	if results > 8960 {
		return
	}
	out, x, r, l := w.view(1, results), w.view(3, n), w.view(0, 35), w.view(0, 28)
	reduction, program := compute.Reduction(w.r.IntN(4)), w.r.IntN(4)
	var c [2]compute.Mask
	if program == 3 {
		c = w.mask(n)
	}
	below := expr.MustParse("func below(x, r float32) (m bool) { return x < r }")
	w.call(fmt.Sprintf("%v of %d along %v, of program %d", reduction, n, along, program), func(b compute.Backend, k int) error {
		switch program {
		case 0:
			return b.Reduce(out[k], reduction, along, nil, x[k])
		case 1:
			return b.Reduce(out[k], reduction, along, rowsOnly, x[k], compute.Row(r[k]))
		case 2:
			return b.Reduce(out[k], reduction, along, drawn, x[k], compute.Col(l[k]))
		}
		return errors.Join(b.Run(below, c[k], x[k], compute.Row(r[k])),
			b.Reduce(out[k], reduction, along, maskedSum, x[k], compute.Row(r[k]), compute.Col(l[k]), c[k], compute.F32(2)))
	})
}

func (w *twins) multiplies() {
	m, n, program := 1+w.r.IntN(80), 1+w.r.IntN(80), w.r.IntN(6)
	switch w.r.IntN(4) {
	case 0:
		m, n, program = 1+w.r.IntN(8), 1+w.r.IntN(8), 2 // with a mask on one member
	case 1:
		m, n = 140, 64 // a whole buffer, with whole rows on all members
	}
	k := 1 + w.r.IntN([]int{8960 / max(m, n) / 2, 8}[w.r.IntN(2)]) // with few, members share the rows
	z, kept, x, y, bias, other := w.view(1, m*n), w.view(4, m*n), w.view(2, m*k), w.view(3, k*n), w.view(0, n), w.view(3, m*n)
	if w.r.IntN(2) == 0 {
		other = z
	}
	var options []compute.MatMulOption
	for _, o := range []compute.MatMulOption{compute.TransposeA, compute.TransposeB, compute.Accumulate} {
		if w.r.IntN(2) == 0 {
			options = append(options, o)
		}
	}
	var masks [][2]compute.Mask
	if program == 2 {
		masks = append(masks, w.mask(m*n))
	}
	w.call(fmt.Sprintf("a product, %d by %d by %d, of program %d", m, k, n, program), func(b compute.Backend, i int) error {
		l, ok := compute.As[compute.Linear](b)
		if !ok {
			return errors.New("it is not Linear")
		}
		all := options[:len(options):len(options)]
		switch program {
		case 0:
			all = append(all, compute.Then(biased, kept[i], compute.Row(bias[i]), other[i]))
		case 1:
			all = append(all, compute.Then(unread, kept[i], compute.Row(bias[i]), other[i]))
		case 2:
			all = append(all, compute.Then(positive, compute.Bits(masks[0][i]), compute.Row(bias[i]), other[i]))
		}
		return l.MatMul(z[i], x[i], m, k, y[i], n, all...)
	}, masks...)
}

// callsApart makes every kind of call that brings operands together, until one fails, and releases all.
func callsApart(b compute.Backend) (err error) {
	do := func(call func() error) {
		if err != nil {
			return
		}
		if failed := call(); err == nil { // nor a call in it
			err = failed
		}
	}
	var held []interface{ Release() error }
	upload := func(n int) (x compute.Buffer) {
		do(func() (err error) {
			if x, err = b.Upload(values.Normal(n, 1)); err == nil {
				held = append(held, x)
			}
			return err
		})
		return x
	}
	view := func(of compute.Buffer, from, to int) (v compute.Buffer) {
		do(func() (err error) {
			if v, err = of.View(from, to); err == nil {
				held = append(held, v)
			}
			return err
		})
		return v
	}
	x, long, y := upload(1024), upload(12000), upload(10000)
	low, high := view(long, 5900, 6700), view(y, 3, 803)
	row, index := view(x, 500, 520), view(x, 1000, 1010)
	wide, one := view(x, 0, 1000), view(x, 17, 18)
	mask := func() (m compute.Mask) {
		do(func() (err error) {
			if m, err = b.AllocMask(800); err == nil {
				held = append(held, m)
			}
			return err
		})
		return m
	}()
	do(func() error { return b.Forward(compute.LeakyReLU(0.5), high, low) })
	do(func() error { return b.ForwardMask(compute.LeakyReLU(0.5), high, mask, low) })
	do(func() error { return b.Run(scaled, high, compute.Row(row), compute.F32(2)) })
	do(func() error { return b.Copy(high, low) })
	do(func() error { return b.Fill(low, 3) })
	do(func() error { return index.Write([]float32{0, 1, 2, 3, 58, 59, 60, 61, 99, 119}) })
	do(func() error { return b.Gather(wide, view(long, 100, 11900), index) })
	do(func() error { return b.Gather(wide, view(y, 8000, 10000), index) })
	for _, along := range []compute.Axis{compute.All(), compute.Rows(1000), compute.Cols(1)} {
		out := one
		if along.Kind == compute.AxisRows {
			out = view(y, 0, 10)
		}
		do(func() error { return b.Reduce(out, compute.Mean, along, scaled, view(long, 7, 10007), compute.F32(2)) })
	}
	do(func() error { return b.Reduce(one, compute.Max, compute.All(), rowsOnly, low, compute.Row(row)) })
	do(func() error {
		return b.Reduce(one, compute.Sum, compute.All(), maskedSum, low, compute.Row(row), compute.Col(row), mask, compute.F32(2))
	})
	l, _ := compute.As[compute.Linear](b)
	do(func() error {
		return l.MatMul(view(long, 2, 10002), wide, 100, 10, view(long, 10500, 11500), 100, compute.TransposeA, compute.Accumulate,
			compute.Then(biased, y, compute.Row(view(x, 0, 100)), compute.F32(1)))
	})
	do(func() error { return l.MatMul(low, high, 20, 40, view(y, 900, 2500), 40) })
	do(func() error {
		return l.MatMul(view(y, 8000, 8100), view(y, 8100, 8200), 10, 10, view(y, 8200, 8300), 10)
	})
	do(b.Sync)
	for _, h := range held {
		err = errors.Join(err, h.Release())
	}
	return err
}

// TestApartFails makes each call of a member fail in turn. The error names it, and nothing is left.
func TestApartFails(t *testing.T) {
	for _, cause := range []error{compute.ErrDevice, compute.ErrOutOfMemory} {
		for at := range 2 {
			failures := 0
			for failAt := 1; ; failAt++ {
				bad := newFaulty(failAt, cause)
				b, other := beside(t, bad, at)
				err := callsApart(b)
				failed := bad.failed()
				name := fmt.Sprintf("member %d (faulty)", at)
				switch {
				case !failed && err != nil:
					t.Fatalf("without a failure: %v", err)
				case failed && (!errors.Is(err, cause) || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), fmt.Sprintf("member %d", 1-at))):
					t.Errorf("call %d fails: got %v, want %v that names %s", failAt, err, cause, name)
				case failed:
					failures++
					if usable := b.Sync(); errors.Is(usable, compute.ErrDevice) != (cause == compute.ErrDevice) {
						t.Errorf("call %d fails: then Sync returns %v", failAt, usable)
					}
				}
				for _, of := range []compute.Backend{b, other, bad.Backend} {
					if info := of.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 {
						t.Errorf("call %d fails: %d buffers of %d bytes are left on %s", failAt, info.LiveBuffers, info.LiveBytes, info.Name)
					}
				}
				if err := b.Close(); err != nil {
					t.Errorf("call %d fails: Close: %v", failAt, err)
				}
				if !failed || t.Failed() {
					break
				}
			}
			t.Logf("member %d: %d calls failed with %v", at, failures, cause)
		}
	}
}

// TestCallsOfMembers: what lies together moves nothing. A call on operands of one member is one
// call of it, and members sum their own parts of a long buffer.
func TestCallsOfMembers(t *testing.T) {
	first, second := newFaulty(0, nil), newFaulty(0, nil)
	b, err := shard.Weighted([]float64{1, 1}, first, second)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	upload := func(n int) compute.Buffer {
		x, err := b.Upload(values.Normal(n, 1))
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	x, y, x8, row, one := upload(64), upload(64), upload(8), upload(8), upload(1) // on the first
	long, rows := upload(1<<20), upload(1<<8)
	l, _ := compute.As[compute.Linear](b)
	for what, test := range map[string]struct {
		call          func() error
		first, second int
	}{
		"Run":     {func() error { return b.Run(rowsOnly, y, x, compute.Row(row)) }, 1, 0},
		"Copy":    {func() error { return b.Copy(y, x) }, 1, 0},
		"Gather":  {func() error { return b.Gather(y, x, row) }, 1, 0},
		"Reduce":  {func() error { return b.Reduce(row, compute.Mean, compute.Cols(8), scaled, x, compute.F32(2)) }, 1, 0},
		"MatMul":  {func() error { return l.MatMul(y, x8, 8, 1, row, 8) }, 1, 0},
		"Then":    {func() error { return l.MatMul(y, x8, 8, 1, row, 8, compute.Then(addRow, compute.Row(row))) }, 1, 0},
		"a sum":   {func() error { return b.Reduce(one, compute.Sum, compute.All(), nil, long) }, 4, 3}, // Alloc, Reduce, Read; Write
		"rows":    {func() error { return b.Reduce(rows, compute.Mean, compute.Rows(4096), scaled, long, compute.F32(2)) }, 1, 1},
		"columns": {func() error { return b.Reduce(one, compute.Max, compute.Cols(1), nil, long) }, 4, 3},
	} {
		before := [2]int{first.calls, second.calls}
		if err := test.call(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if got := [2]int{first.calls - before[0], second.calls - before[1]}; got != [2]int{test.first, test.second} {
			t.Errorf("%s makes %d calls of the members, want %d and %d", what, got, test.first, test.second)
		}
	}
}
