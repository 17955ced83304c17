package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/values"
)

// folders are the references of the folds, in their order.
var folders = []struct {
	name string
	of   func(n int, at func(i int) float32) float32
}{{"sum", linear.Sum}, {"max", linear.Max}, {"min", linear.Min}, {"mean", linear.Mean}}

// foldExample returns n elements: ordinary ones, one special, only special ones, or zeros.
func foldExample(r *rand.Rand, n int) []float32 {
	xs := values.Normal(n, r.Uint64())
	special := values.Special()
	zeros := []float32{0, float32(math.Copysign(0, -1))}
	switch r.IntN(4) {
	case 0:
		xs[r.IntN(n)] = special[r.IntN(len(special))]
	case 1:
		for i := range xs {
			xs[i] = special[r.IntN(len(special))]
		}
	case 2:
		sign := r.IntN(3)
		for i := range xs {
			xs[i] = zeros[[]int{0, 1, r.IntN(2)}[sign]]
		}
	}
	return xs
}

// TestFolds compares the kernels of every instruction set with the reference, for all numbers of
// elements and special values. They change nothing else.
func TestFolds(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, set := range instructionSets() {
		for i, want := range folders[:len(set.folds)] {
			t.Run(set.name+" "+want.name, func(t *testing.T) {
				var src, dst, pad room
				src.all, dst.all, pad.all = make([]float32, 20000), make([]float32, 1000), make([]float32, 200)
				for n := 1; n <= sampled(400); n++ {
					rows := 1 + r.IntN(5)
					stride := n + r.IntN(3)
					a := &foldArgs{n: n, rows: rows, stride: stride}
					xs := src.take(r.IntN(40), foldExample(r, (rows-1)*stride+n))
					got := dst.take(r.IntN(40), make([]float32, rows))
					a.src, a.dst = unsafe.Pointer(&xs[0]), unsafe.Pointer(&got[0])
					if n%foldLanes != 0 {
						a.pad = unsafe.Pointer(&pad.take(r.IntN(40), slices.Repeat([]float32{foldNone[i]}, foldLanes))[0])
					}
					set.folds[i].rows(a)
					for row, v := range got {
						if w := want.of(n, func(j int) float32 { return xs[row*stride+j] }); !values.Same(v, w) {
							t.Fatalf("row %d of %d x %d: %s, should be %s", row, rows, n, values.Show(v), values.Show(w))
						}
					}
					if !src.intact() || !dst.intact() || n%foldLanes != 0 && !pad.intact() {
						t.Fatalf("rows of %d x %d changed something else", rows, n)
					}
				}
				for n := foldLanes; n <= 5*foldLanes; n += foldLanes {
					rows, stride := 1+r.IntN(9), n+r.IntN(20)
					xs := src.take(r.IntN(40), foldExample(r, (rows-1)*stride+n))
					before := foldExample(r, n)
					for j := range before {
						before[j] += foldNone[0] // the sum of lanes is never -0
					}
					got := dst.take(r.IntN(40), before)
					set.folds[i].columns(&foldArgs{src: unsafe.Pointer(&xs[0]), dst: unsafe.Pointer(&got[0]), n: n, rows: rows, stride: stride})
					for j, v := range got {
						w := before[j]
						for row := range rows {
							x := xs[row*stride+j]
							w = []float32{w + x, max(w, x), min(w, x)}[i]
						}
						if !values.Same(v, w) {
							t.Fatalf("column %d of %d x %d: %s, should be %s", j, rows, n, values.Show(v), values.Show(w))
						}
					}
					if !src.intact() || !dst.intact() {
						t.Fatalf("columns of %d x %d changed something else", rows, n)
					}
				}
			})
		}
	}
}

// reducedBy returns the reference of a reduction.
func reducedBy(of func(int, func(int) float32) float32, along compute.Axis, xs []float32) (list []float32) {
	n := along.Columns
	switch along.Kind {
	case compute.AxisAll:
		list = append(list, of(len(xs), func(i int) float32 { return xs[i] }))
	case compute.AxisRows:
		for r := 0; r < len(xs); r += n {
			list = append(list, of(n, func(i int) float32 { return xs[r+i] }))
		}
	default:
		for c := range n {
			list = append(list, of(len(xs)/n, func(i int) float32 { return xs[i*n+c] }))
		}
	}
	return list
}

// TestReduce compares the reductions of matrices of many shapes, in memory and of programs, with
// the reference.
func TestReduce(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var shapes [][2]int
	for _, n := range []int{1, 2, 63, 64, 65, 4095, 4096, 4097, 8192, 64*4096 + 1} {
		shapes = append(shapes, [2]int{1, n}, [2]int{n, 1})
	}
	shapes = append(shapes, [][2]int{
		{4097, 3}, {3, 4097}, {9000, 66}, {70, 1100}, {64, 512}, {129, 513}, {100, 577}, {2000, 130},
		{5000, 63}, {1, 3000}, {3000, 10}, {33, 2048},
	}...)
	for range sampled(60) {
		shapes = append(shapes, [2]int{1 + r.IntN(130), 1 + r.IntN(130)})
	}
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			b := Options{}.open(set)
			defer b.Close()
			for _, s := range shapes {
				long := s[0]*s[1] > 20000 // for the reference
				if long && sampled(8) == 1 && r.IntN(3) > 0 {
					continue
				}
				for op, want := range folders {
					if long && op != r.IntN(len(folders)) {
						continue
					}
					if err := tryReduce(b, r, s[0], s[1], compute.Reduction(op), want.of); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

// The programs that are reduced, and what they compute of an element, of the row, of the column
// and of the mask.
var foldedPrograms = []struct {
	text string
	of   func(x, row, col float32, m bool) float32
}{
	{"f(x, r, c, m) = x", func(x, _, _ float32, _ bool) float32 { return x }},
	{"f(x, r, c, m) = x*x", func(x, _, _ float32, _ bool) float32 { return x * x }},
	{"f(x, r, c, m) = x - r", func(x, r, _ float32, _ bool) float32 { return x - r }},
	{"f(x, r, c, m) = c - x", func(x, _, c float32, _ bool) float32 { return c - x }},
	{"func f(x, r, c float32, m bool) (y float32) { return where(m, x - r, x * c) }", func(x, r, c float32, m bool) float32 {
		if m {
			return x - r
		}
		return x * c
	}},
}

// tryReduce compares the reductions of one matrix along all axes.
func tryReduce(b compute.Backend, r *rand.Rand, rows, columns int, op compute.Reduction, of func(int, func(int) float32) float32) error {
	xs := foldExample(r, rows*columns)
	row, col := values.Normal(columns, 3), values.Normal(rows, 4)
	var err error
	upload := func(v []float32) compute.Buffer {
		buf, e := b.Upload(v)
		if e != nil {
			err = e
		}
		return buf
	}
	x, rb, cb := upload(xs), upload(row), upload(col)
	m, e := b.AllocMask(len(xs))
	if err != nil || e != nil {
		return fmt.Errorf("%v, %v", err, e)
	}
	y := upload(make([]float32, len(xs)))
	defer func() {
		for _, v := range []compute.Buffer{x, rb, cb, y} {
			v.Release()
		}
		m.Release()
	}()
	if err := b.Run(expr.MustParse("func f(x float32) (m bool) { return x > 0 }"), m, x); err != nil {
		return err
	}
	for _, along := range []compute.Axis{compute.All(), compute.Rows(columns), compute.Cols(columns)} {
		for i, p := range foldedPrograms {
			if i > 0 && r.IntN(3) > 0 {
				continue
			}
			vs := make([]float32, len(xs))
			for j, v := range xs {
				vs[j] = p.of(v, row[j%columns], col[j/columns], v > 0)
			}
			want := reducedBy(of, along, vs)
			out := upload(make([]float32, len(want)))
			program := expr.MustParse(p.text)
			args := []compute.Arg{x, compute.Row(rb), compute.Col(cb), m}
			if program.Args()[3].Type != expr.Bool {
				args[3] = x
			}
			if err := b.Reduce(out, op, along, program, args...); err != nil {
				return err
			}
			got := make([]float32, len(want))
			out.Read(got)
			out.Release()
			for j, v := range got {
				if !values.Same(v, want[j]) {
					return fmt.Errorf("%v of %s, %d x %d along %v: element %d is %s, should be %s", op, p.text, rows, columns, along, j, values.Show(v), values.Show(want[j]))
				}
			}
		}
	}
	return nil
}

// TestReduceOnCores: the bits do not depend on the number of cores.
func TestReduceOnCores(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	xs := values.Normal(sampled(400*1000), 1)
	xs = xs[:len(xs)/1000*1000]
	p := expr.MustParse("f(x) = exp(x)")
	var want [][]float32
	for i, procs := range []int{1, 2, 8} {
		runtime.GOMAXPROCS(procs)
		b, err := Open()
		if err != nil {
			t.Fatal(err)
		}
		x := mustUpload(t, b, xs)
		for j, along := range []compute.Axis{compute.All(), compute.Rows(1000), compute.Cols(1000), compute.Cols(10)} {
			out := mustUpload(t, b, make([]float32, []int{1, len(xs) / 1000, 1000, 10}[j]))
			if err := b.Reduce(out, compute.Sum, along, p, x); err != nil {
				t.Fatal(err)
			}
			got := driver.MemoryOf(out).(*memory).elements
			if i == 0 {
				want = append(want, slices.Clone(got))
			} else if !slices.Equal(got, want[j]) {
				t.Errorf("the sum along %v differs on %d cores and on one", along, procs)
			}
		}
		b.Close()
	}
}
