package backendtest

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/values"
)

// An island is a buffer with a view of its middle.
type island struct {
	all, view compute.Buffer
	n         int
}

// shore is what is before and after a view. It begins at no multiple of anything.
var shore = values.Normal(67, 9)

// newIsland returns an island whose view holds v.
func newIsland(t *testing.T, b compute.Backend, v []float32) island {
	t.Helper()
	all := upload(t, b, slices.Concat(shore, v, shore))
	view, err := all.View(len(shore), len(shore)+len(v))
	return island{all, made(t, "View", len(v), view, err), len(v)}
}

// want fails the test unless the view holds v, and what is around it did not change.
func (s island) want(t *testing.T, what string, v []float32) {
	t.Helper()
	wantFloats(t, what+", with views", read(t, s.all), slices.Concat(shore, v, shore))
}

func (s island) release(t *testing.T) {
	t.Helper()
	release(t, s.view, s.all)
}

// testLinearViews has views as the operands of Gather, Reduce and MatMul.
func testLinearViews(t *testing.T, b compute.Backend) {
	const rows, width = 9, 5
	src, index := values.Normal(rows*width, 1), []float32{8, 0, 3, 9, 3}
	x, at, y := newIsland(t, b, src), newIsland(t, b, index), newIsland(t, b, make([]float32, len(index)*width))
	if err := b.Gather(y.view, x.view, at.view); err != nil {
		t.Fatal(err)
	}
	var gathered []float32
	for _, v := range index {
		if v < rows {
			gathered = append(gathered, src[int(v)*width:][:width]...)
		} else {
			gathered = append(gathered, slices.Repeat([]float32{float32(math.NaN())}, width)...)
		}
	}
	y.want(t, "Gather", gathered)
	for _, s := range []island{x, at, y} {
		s.release(t)
	}
	for _, shape := range [][2]int{{7, 9}, {2, 4100}, {4100, 2}} {
		xs := values.Normal(shape[0]*shape[1], 2)
		x := newIsland(t, b, xs)
		for _, op := range []compute.Reduction{compute.Sum, compute.Max} {
			for _, along := range []compute.Axis{compute.All(), compute.Rows(shape[1]), compute.Cols(shape[1])} {
				want := reduced(op, along, xs)
				out := newIsland(t, b, make([]float32, len(want)))
				if err := b.Reduce(out.view, op, along, nil, x.view); err != nil {
					t.Fatal(err)
				}
				out.want(t, fmt.Sprintf("%v of %d elements along %v", op, len(xs), along), want)
				out.release(t)
			}
		}
		x.release(t)
	}
	if l, ok := compute.As[compute.Linear](b); ok {
		testMatMulViews(t, l)
	}
}

func testMatMulViews(t *testing.T, b compute.Linear) {
	layer := expr.MustParse("func layer(z, bias, scale float32) (y, kept float32) { return (z + bias) * scale, z }")
	for i, shape := range [][3]int{{5, 7, 9}, {9, 270, 33}, {1, 40, 530}, {530, 40, 1}, {70, 3, 70}} {
		p := linear.Product{M: shape[0], K: shape[1], N: shape[2]}
		as, bs, cs := values.Normal(p.M*p.K, 1), values.Normal(p.K*p.N, 2), values.Normal(p.M*p.N, 3)
		a, x, c, kept := newIsland(t, b, as), newIsland(t, b, bs), newIsland(t, b, cs), newIsland(t, b, cs)
		biases, scales := values.Normal(p.N, 4), values.Normal(p.M, 5)
		row, col := newIsland(t, b, biases), newIsland(t, b, scales)
		then := compute.Then(layer, kept.view, compute.Row(row.view), compute.Col(col.view))
		for option := range 8 {
			if testing.Short() && option != i {
				continue
			}
			p, options := productOf(p, option)
			want := slices.Clone(cs)
			linear.MatMul(p, want, as, bs)
			write(t, c.view, cs)
			if err := b.MatMul(c.view, a.view, p.M, p.K, x.view, p.N, options...); err != nil {
				t.Fatal(err)
			}
			c.want(t, fmt.Sprintf("MatMul %+v", p), want)
			write(t, c.view, cs)
			if err := b.MatMul(c.view, a.view, p.M, p.K, x.view, p.N, append(options, then)...); err != nil {
				t.Fatal(err)
			}
			kept.want(t, fmt.Sprintf("the second result of Then after MatMul %+v", p), want)
			for i := range want {
				want[i] = (want[i] + biases[i%p.N]) * scales[i/p.N]
			}
			c.want(t, fmt.Sprintf("Then after MatMul %+v", p), want)
		}
		for _, s := range []island{a, x, c, kept, row, col} {
			s.release(t)
		}
	}
}

// testZeros: lanes and chains begin with +0, so that sums and products of -0 are +0.
func testZeros(t *testing.T, b compute.Backend) {
	minus := []float32{float32(math.Copysign(0, -1))}
	for _, shape := range [][2]int{{1, 1}, {1, 70}, {2, 3}, {70, 2}, {4100, 2}} {
		rows, cols := shape[0], shape[1]
		if testing.Short() && rows > linear.Chunk {
			continue
		}
		x := upload(t, b, slices.Repeat(minus, rows*cols))
		for along, n := range map[compute.Axis]int{compute.All(): 1, compute.Rows(cols): rows, compute.Cols(cols): cols} {
			out := alloc(t, b, n)
			for _, op := range []compute.Reduction{compute.Sum, compute.Mean} {
				if err := b.Reduce(out, op, along, nil, x); err != nil {
					t.Fatal(err)
				}
				wantFloats(t, fmt.Sprintf("%v of -0 in %d x %d along %v", op, rows, cols, along), read(t, out), make([]float32, n))
			}
			release(t, out)
		}
		release(t, x)
	}
	l, ok := compute.As[compute.Linear](b)
	if !ok {
		return
	}
	for i, shape := range [][3]int{{1, 1, 1}, {1, 1, 600}, {3, 2, 70}, {20, 1, 3}, {17, 300, 1}} {
		p, options := productOf(linear.Product{M: shape[0], K: shape[1], N: shape[2]}, i%4)
		a, x := upload(t, b, slices.Repeat([]float32{-1}, p.M*p.K)), upload(t, b, make([]float32, p.K*p.N))
		c := upload(t, b, slices.Repeat(minus, p.M*p.N))
		for _, options := range [][]compute.MatMulOption{append(options, compute.Accumulate), options} {
			if err := l.MatMul(c, a, p.M, p.K, x, p.N, options...); err != nil {
				t.Fatal(err)
			}
			wantFloats(t, fmt.Sprintf("MatMul %+v of -1 and 0", p), read(t, c), make([]float32, p.M*p.N))
			write(t, c, slices.Repeat([]float32{1}, p.M*p.N))
		}
		release(t, a, x, c)
	}
}

// testReduceArguments: the values of a program with arguments of all kinds are those of Run.
func testReduceArguments(t *testing.T, b compute.Backend) {
	p := expr.MustParse(`func all(keep bool, x, row, col, s float32, seed uint32) float32 {
		return where(keep, x*s + row, col) + rand(seed, 1)
	}`)
	positive := expr.MustParse("func positive(x float32) bool { return x > 0 }")
	for _, shape := range [][2]int{{100, 37}, {3, 5000}, {4200, 2}} {
		rows, cols := shape[0], shape[1]
		if testing.Short() && rows*cols > 5000 {
			continue
		}
		n := rows * cols
		x, y, m := upload(t, b, values.Normal(n, 1)), alloc(t, b, n), allocMask(t, b, n)
		row, col := upload(t, b, values.Normal(cols, 2)), upload(t, b, values.Normal(rows, 3))
		args := []compute.Arg{m, x, compute.Row(row), compute.Col(col), compute.F32(1.5), compute.U32(7)}
		wantError(t, "Run", b.Run(positive, m, x), nil)
		wantError(t, "Run", b.Run(p, append([]compute.Arg{y}, args...)...), nil)
		xs := read(t, y)
		for _, along := range []compute.Axis{compute.All(), compute.Rows(cols), compute.Cols(cols)} {
			want := reduced(compute.Sum, along, xs)
			out := alloc(t, b, len(want))
			if err := b.Reduce(out, compute.Sum, along, p, args...); err != nil {
				t.Fatal(err)
			}
			wantFloats(t, fmt.Sprintf("the sum of a program of %d x %d along %v", rows, cols, along), read(t, out), want)
			release(t, out)
		}
		release(t, x, y, m, row, col)
	}
}
