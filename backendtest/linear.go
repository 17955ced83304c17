package backendtest

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/linear"
	"github.com/gmind-go/compute/internal/values"
)

// testViews: a view is a buffer of the elements of another one.
func testViews(t *testing.T, b compute.Backend) {
	xs := values.Normal(1000, 1)
	x := upload(t, b, xs)
	for _, r := range [][2]int{{0, 1000}, {0, 64}, {64, 1000}, {1, 999}, {333, 334}, {17, 17}, {1000, 1000}} {
		v, err := x.View(r[0], r[1])
		made(t, "View", r[1]-r[0], v, err)
		wantFloats(t, fmt.Sprintf("the view %v", r), read(t, v), xs[r[0]:r[1]])
		part, err := v.View(v.Len()/2, v.Len()) // a view of a view
		made(t, "View of a view", v.Len()-v.Len()/2, part, err)
		y := alloc(t, b, part.Len())
		if err := b.Forward(compute.LeakyReLU(0.5), y, part); err != nil {
			t.Fatal(err)
		}
		want := make([]float32, y.Len())
		for i := range want {
			want[i] = compute.LeakyReLU(0.5).Value(xs[r[0]+v.Len()/2+i])
		}
		wantFloats(t, "Forward of a view", read(t, y), want)
		m := allocMask(t, b, part.Len())
		if err := errors.Join(b.ForwardMask(compute.LeakyReLU(0.5), y, m, part), b.BackwardMask(compute.LeakyReLU(0.5), y, y, m)); err != nil {
			t.Fatal(err)
		}
		for i, v := range want {
			want[i] = compute.LeakyReLU(0.5).Backward(v, v) // which has the sign of x
		}
		wantFloats(t, "ForwardMask of a view, and BackwardMask", read(t, y), want)
		release(t, v, part, y, m)
	}

	// A program, in place in one view and from another that does not overlap it.
	axpy := expr.MustParse("axpy(x, y, a) = a*x + y")
	low, _ := x.View(3, 403)
	high, _ := x.View(403, 803)
	if err := b.Run(axpy, low, high, low, compute.F32(2)); err != nil {
		t.Fatal(err)
	}
	for i := 3; i < 403; i++ {
		xs[i] = float32(2*xs[i+400]) + xs[i]
	}
	wantFloats(t, "a program on views", read(t, x), xs)

	part := make([]float32, 100)
	if err := x.ReadAt(part, 450); err != nil {
		t.Fatal(err)
	}
	wantFloats(t, "ReadAt", part, xs[450:550])
	if err := x.WriteAt(part, 7); err != nil {
		t.Fatal(err)
	}
	copy(xs[7:], part)
	if err := low.WriteAt(part[:50], 350); err != nil {
		t.Fatal(err)
	}
	copy(xs[353:], part[:50])
	if err := b.Copy(low, high); err != nil {
		t.Fatal(err)
	}
	copy(xs[3:403], xs[403:803])
	if err := b.Fill(high, 1.5); err != nil {
		t.Fatal(err)
	}
	for i := 403; i < 803; i++ {
		xs[i] = 1.5
	}
	wantFloats(t, "WriteAt, Copy and Fill", read(t, x), xs)

	shifted, _ := x.View(4, 404)
	wantError(t, "Copy of a view that overlaps", b.Copy(low, shifted), compute.ErrOverlap)
	wantError(t, "Run of views that overlap", b.Run(axpy, low, low, shifted, compute.F32(2)), compute.ErrOverlap)
	for _, r := range [][2]int{{-1, 2}, {2, 1}, {0, 1001}} {
		wantError(t, fmt.Sprint("View of ", r), errorOf(x.View(r[0], r[1])), compute.ErrLength)
	}
	wantError(t, "ReadAt behind the end", x.ReadAt(part, 901), compute.ErrLength)
	wantError(t, "WriteAt before the beginning", x.WriteAt(part, -1), compute.ErrLength)

	release(t, x) // the views stay
	wantFloats(t, "a view after Release of the buffer", read(t, high), xs[403:803])
	wantError(t, "Read after Release", x.Read(make([]float32, 1000)), compute.ErrClosed)
	release(t, low, shifted, high)
	wantError(t, "Read of a released view", high.Read(make([]float32, 400)), compute.ErrClosed)
}

// testGather: rows, and NaN for what is no row.
func testGather(t *testing.T, b compute.Backend) {
	nan := float32(math.NaN())
	for _, width := range []int{1, 3, 64, 100} {
		const rows = 50
		src := values.Normal(rows*width, 1)
		index := []float32{0, 49, 7, 7, -1, 50, 0.5, nan, 48, float32(math.Inf(1)), 3e9, float32(math.Copysign(0, -1))}
		x, at, y := upload(t, b, src), upload(t, b, index), alloc(t, b, len(index)*width)
		if err := b.Gather(y, x, at); err != nil {
			t.Fatal(err)
		}
		var want []float32
		for _, v := range index {
			for j := range width {
				if v >= 0 && v < rows && v == float32(math.Floor(float64(v))) {
					want = append(want, src[int(v)*width+j])
				} else {
					want = append(want, nan)
				}
			}
		}
		wantFloats(t, fmt.Sprintf("Gather of rows of %d", width), read(t, y), want)
		short := alloc(t, b, 5)
		wantError(t, "Gather of half rows", b.Gather(short, x, at), compute.ErrLength)
		wantError(t, "Gather in place", b.Gather(x, x, at), compute.ErrOverlap)
		release(t, x, at, y, short)
	}
}

// testReduce compares with the reference, along each axis.
func testReduce(t *testing.T, b compute.Backend) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, shape := range [][2]int{{1, 1}, {3, 5}, {1, 4097}, {64, 64}, {100, 37}, {5, 1000}, {4097, 3}, {10000, 7}, {2, 20000}, {8200, 1}, {64, 300}} {
		rows, cols := shape[0], shape[1]
		if testing.Short() && rows*cols > 10_000 {
			continue
		}
		xs := values.Normal(rows*cols, uint64(rows))
		if r.IntN(2) == 0 {
			special := values.Special()
			for range 3 {
				xs[r.IntN(len(xs))] = special[r.IntN(len(special))]
			}
		}
		bias := values.Normal(cols, 2)
		x, row := upload(t, b, xs), upload(t, b, bias)
		square := expr.MustParse("square(x, b) = x*x - b")
		squares := make([]float32, len(xs))
		for i, v := range xs {
			squares[i] = float32(v*v) - bias[i%cols]
		}
		for op := compute.Sum; op <= compute.Mean; op++ {
			for _, along := range []compute.Axis{compute.All(), compute.Rows(cols), compute.Cols(cols)} {
				want := reduced(op, along, xs)
				out := alloc(t, b, len(want))
				what := fmt.Sprintf("%v of %d x %d along %v", op, rows, cols, along)
				if err := b.Reduce(out, op, along, nil, x); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				wantFloats(t, what, read(t, out), want)
				if testing.Short() && op > compute.Max { // a device compiles each
					release(t, out)
					continue
				}
				if err := b.Reduce(out, op, along, square, x, compute.Row(row)); err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				wantFloats(t, what+" of a program", read(t, out), reduced(op, along, squares))
				release(t, out)
			}
		}
		release(t, x, row)
	}
	testReduceErrors(t, b)
}

// reduced returns the reduction of xs by the reference.
func reduced(r compute.Reduction, along compute.Axis, xs []float32) []float32 {
	of := [...]func(int, func(int) float32) float32{linear.Sum, linear.Max, linear.Min, linear.Mean}[r]
	cols := along.Columns
	switch along.Kind {
	case compute.AxisRows:
		out := make([]float32, len(xs)/cols)
		for i := range out {
			out[i] = of(cols, func(k int) float32 { return xs[i*cols+k] })
		}
		return out
	case compute.AxisCols:
		out := make([]float32, cols)
		for j := range out {
			out[j] = of(len(xs)/cols, func(k int) float32 { return xs[k*cols+j] })
		}
		return out
	}
	return []float32{of(len(xs), func(i int) float32 { return xs[i] })}
}

func testReduceErrors(t *testing.T, b compute.Backend) {
	x, one, none, two := upload(t, b, values.Normal(12, 1)), alloc(t, b, 1), alloc(t, b, 0), alloc(t, b, 2)
	other := alloc(t, b, 0)
	for op, want := range map[compute.Reduction]float32{
		compute.Sum: 0, compute.Max: float32(math.Inf(-1)), compute.Min: float32(math.Inf(1)), compute.Mean: float32(math.NaN()),
	} {
		if err := b.Reduce(one, op, compute.All(), nil, none); err != nil {
			t.Fatal(err)
		}
		wantFloats(t, fmt.Sprintf("%v of nothing", op), read(t, one), []float32{want})
		if err := b.Reduce(two, op, compute.Cols(2), nil, none); err != nil {
			t.Fatal(err)
		}
		wantFloats(t, fmt.Sprintf("%v of columns of nothing", op), read(t, two), []float32{want, want})
		wantError(t, fmt.Sprintf("%v of no rows", op), b.Reduce(none, op, compute.Rows(2), nil, other), nil)
	}
	sum := func(out compute.Buffer, along compute.Axis, p *expr.Program, args ...compute.Arg) error {
		return b.Reduce(out, compute.Sum, along, p, args...)
	}
	view, _ := x.View(0, 1)
	twoResults := expr.MustParse("func both(x float32) (y, z float32) { return x, -x }")
	wantError(t, "of another length", sum(two, compute.All(), nil, x), compute.ErrLength)
	wantError(t, "of parts of rows", sum(two, compute.Rows(5), nil, x), compute.ErrLength)
	wantError(t, "of rows of 0", sum(two, compute.Rows(0), nil, x), compute.ErrArgument)
	wantError(t, "of columns of -1", sum(two, compute.Cols(-1), nil, x), compute.ErrArgument)
	wantError(t, "into its argument", sum(view, compute.All(), nil, x), compute.ErrOverlap)
	wantError(t, "of a row", sum(one, compute.All(), nil, compute.Row(x)), compute.ErrArgument)
	wantError(t, "of two results", sum(one, compute.All(), twoResults, x), compute.ErrArgument)
	wantError(t, "into nil", sum(nil, compute.All(), nil, x), compute.ErrForeignBuffer)
	wantError(t, "of an unknown reduction", b.Reduce(one, 99, compute.All(), nil, x), compute.ErrArgument)
	release(t, x, one, none, other, two, view)
}

// testMatMul compares with the reference.
func testMatMul(t *testing.T, b compute.Backend) {
	l, ok := compute.As[compute.Linear](b)
	if !ok {
		t.Skip("NOT tested: the backend is no compute.Linear")
	}
	for i, shape := range [][3]int{
		{1, 1, 1}, {2, 3, 4}, {1, 300, 70}, {70, 300, 1}, {5, 0, 6}, {17, 255, 33}, {16, 256, 32}, {13, 257, 65}, {64, 100, 48}, {3, 513, 100}, {40, 600, 9}, {129, 33, 131},
	} {
		m, k, n := shape[0], shape[1], shape[2]
		as, bs, cs := values.Normal(m*k, 1), values.Normal(k*n, 2), values.Normal(m*n, 3)
		if special := values.Special(); len(as) > 3 && i%2 == 1 {
			for j, v := range special {
				if j%5 == 0 {
					as[j*7%len(as)] = v
				}
			}
		}
		a, x, c := upload(t, b, as), upload(t, b, bs), alloc(t, b, m*n)
		for option := range 8 {
			if testing.Short() && option != i%8 {
				continue
			}
			p, options := productOf(linear.Product{M: m, K: k, N: n}, option)
			want := append([]float32(nil), cs...)
			linear.MatMul(p, want, as, bs)
			write(t, c, cs)
			if err := l.MatMul(c, a, m, k, x, n, options...); err != nil {
				t.Fatalf("MatMul %+v: %v", p, err)
			}
			wantFloats(t, fmt.Sprintf("MatMul %+v", p), read(t, c), want)
		}
		p, options := productOf(linear.Product{M: m, K: k, N: n}, i%8)
		product := append([]float32(nil), cs...)
		linear.MatMul(p, product, as, bs)
		write(t, c, cs)
		testThen(t, l, p, options, product, a, x, c)
		release(t, a, x, c)
	}
	testMatMulErrors(t, l)
}

// productOf returns p with the options of which option has the bits: TransposeA, TransposeB and
// Accumulate.
func productOf(p linear.Product, option int) (linear.Product, []compute.MatMulOption) {
	p.TransposeA, p.TransposeB, p.Accumulate = option&1 != 0, option&2 != 0, option&4 != 0
	var options []compute.MatMulOption
	for bit, o := range []compute.MatMulOption{compute.TransposeA, compute.TransposeB, compute.Accumulate} {
		if option>>bit&1 != 0 {
			options = append(options, o)
		}
	}
	return p, options
}

// testThen: a program of the product p, with its options, has the bits of the program after the
// product.
func testThen(t *testing.T, b compute.Linear, p linear.Product, options []compute.MatMulOption, product []float32, a, x, c compute.Buffer) {
	bias, scale := values.Normal(p.N, 4), values.Normal(p.M, 5)
	row, col, kept, m := upload(t, b, bias), upload(t, b, scale), alloc(t, b, len(product)), allocMask(t, b, len(product))
	layer := expr.MustParse(`func layer(z, b, s float32) (y, kept float32, positive bool) {
		y = max(z + b, 0) * s
		kept = z
		positive = z > 0
		return
	}`)
	then := compute.Then(layer, kept, m, compute.Row(row), compute.Col(col))
	if err := b.MatMul(c, a, p.M, p.K, x, p.N, append(options, then)...); err != nil {
		t.Fatalf("MatMul %+v with Then: %v", p, err)
	}
	wantFloats(t, "the second result of Then", read(t, kept), product)
	want, bits := make([]float32, len(product)), make([]uint64, form.MaskWords(len(product)))
	for i, z := range product {
		if z > 0 {
			bits[i/64] |= 1 << (i % 64)
		}
		v := z + bias[i%p.N]
		if !(v > 0) {
			v = 0
		}
		want[i] = v * scale[i/p.N]
	}
	wantFloats(t, "the result of Then", read(t, c), want)
	words := make([]uint64, len(bits))
	if err := m.Read(words); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(words, bits) {
		t.Errorf("the bits of Then after MatMul %+v are %x and should be %x", p, words, bits)
	}
	release(t, row, col, kept, m)
}

func testMatMulErrors(t *testing.T, b compute.Linear) {
	six, four, view := upload(t, b, values.Normal(6, 1)), upload(t, b, values.Normal(4, 1)), upload(t, b, values.Normal(10, 1))
	part, _ := view.View(0, 6)
	wantError(t, "a of another size", b.MatMul(four, four, 2, 3, six, 2), compute.ErrLength)
	wantError(t, "c of another size", b.MatMul(six, six, 2, 3, six, 2), compute.ErrLength)
	wantError(t, "negative rows", b.MatMul(four, six, -2, 3, six, 2), compute.ErrArgument)
	huge := math.MaxInt/2 + 1
	wantError(t, "extents whose product overflows", b.MatMul(four, four, 4, huge, six, huge), compute.ErrLength)
	wantError(t, "c is a", b.MatMul(six, six, 2, 3, four, 3), compute.ErrLength)
	wantError(t, "c overlaps b", b.MatMul(part, six, 2, 3, view, 3), compute.ErrLength)
	wantError(t, "nil", b.MatMul(nil, six, 2, 3, six, 2), compute.ErrForeignBuffer)
	square, _ := view.View(0, 4)
	wantError(t, "c is b", b.MatMul(four, square, 2, 2, four, 2), compute.ErrOverlap)
	shifted, _ := view.View(1, 5)
	wantError(t, "c overlaps a", b.MatMul(square, shifted, 2, 2, four, 2), compute.ErrOverlap)
	p := expr.MustParse("add(z, b) = z + b")
	wantError(t, "Then without its argument", b.MatMul(four, square, 2, 2, shifted, 2, compute.Then(p)), compute.ErrArgument)
	wantError(t, "Then with a short argument", b.MatMul(four, square, 2, 2, shifted, 2, compute.Then(p, six)), compute.ErrLength)
	release(t, six, four, view, part, square, shifted)
}

// wantFloats fails the test unless got has the bits of want, or NaN for NaN.
func wantFloats(t *testing.T, what string, got, want []float32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i, v := range got {
		if !values.Same(v, want[i]) {
			t.Fatalf("%s: element %d of %d is %v (%#08x), want %v (%#08x)", what, i, len(got), v, math.Float32bits(v), want[i], math.Float32bits(want[i]))
		}
	}
}
