package backendtest

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/progtest"
	"github.com/gmind-go/compute/internal/values"
)

// The programs of the suite. blend depends on all that elements can differ in.
var (
	blend = expr.MustParse(`func blend(x, r, l float32, c bool, s float32, seed uint32) (y, z float32, d, e bool) {
		y = where(c, x*s+r, l-x)
		z = rand(seed, 7) * x
		d = y < z
		e = c != d
		return
	}`)
	axpy = expr.MustParse("func axpy(s, x, y float32) (z float32) { return s*x + y }")
	swap = expr.MustParse(`func swap(x, y float32, c, d bool) (v, w float32, e, f bool) {
		v, w, e, f = y, x, d, c
		return
	}`)
	swap2 = expr.MustParse("func swap2(x, y float32) (v, w float32) { v, w = y, x; return }")
	draw  = expr.MustParse("func draw(x float32, seed, step uint32) (y float32) { return x + rand(seed, step) }")
)

// right fails the test unless c runs right in all ways.
func right(t *testing.T, run *progtest.Runner, c *progtest.Case) {
	t.Helper()
	if err := run.All(c); err != nil {
		t.Fatalf("%v\n%v", err, c)
	}
}

// runner returns a Runner on b, and what releases its buffers.
func runner(t *testing.T, b compute.Backend) (run *progtest.Runner, end func()) {
	t.Helper()
	run = progtest.NewRunner(b)
	return run, func() {
		t.Helper()
		if err := run.Release(); err != nil {
			t.Errorf("Release: %v", err)
		}
	}
}

func random(seed, i int) *rand.Rand { return rand.New(rand.NewPCG(uint64(seed), uint64(i))) }

// testPrograms runs one program with operands in all kinds of places, of all lengths.
func testPrograms(t *testing.T, b compute.Backend) {
	run, end := runner(t, b)
	defer end()
	const element, row, col, bit, scalar = kernel.Element, kernel.Row, kernel.Col, kernel.Bit, kernel.Scalar
	places := []*progtest.Case{
		{Args: []progtest.Arg{{}, {Address: row}, {Address: col}, {Address: bit}, {Address: scalar}, {Address: scalar}}, Over: []int{-1, -1, -1, -1}},
		{Args: []progtest.Arg{{}, {Address: col}, {}, {Address: bit}, {Address: row}, {Address: scalar}}, Over: []int{2, 0, -1, 3}},
		{Args: []progtest.Arg{{Address: row}, {}, {Address: scalar}, {Address: scalar}, {Address: col}, {Address: scalar}}, Over: []int{1, -1, -1, -1}},
	}
	ns := lengths()
	for n := 131; n <= 200; n++ {
		ns = append(ns, n)
	}
	longest := 66_000 // testRunSlices has longer ones
	if testing.Short() {
		longest = 5_000
	}
	for i, n := range ns {
		for j, place := range places {
			if n > 200 && i%len(places) != j || n > longest {
				continue
			}
			place.Program = blend
			right(t, run, place.Of(random(i, j), n))
		}
	}
}

// testRandomPrograms runs random programs, each with operands of several lengths in the same
// places, so that it is compiled once.
func testRandomPrograms(t *testing.T, b compute.Backend) {
	run, end := runner(t, b)
	defer end()
	for i := range 12 {
		r := random(i, 100)
		c := progtest.New(r, progtest.Random(r, 20), r.IntN(200))
		right(t, run, c)
		for range 5 {
			right(t, run, c.Of(r, r.IntN(200)))
		}
		right(t, run, c.Of(r, 60*(1+r.IntN(100))))
	}
}

// testRows repeats rows and columns of all lengths that divide that of the call.
func testRows(t *testing.T, b compute.Backend) {
	run, end := runner(t, b)
	defer end()
	difference := expr.MustParse("difference(x, y) = x - y")
	check := func(n, row int, address kernel.Address) {
		t.Helper()
		right(t, run, &progtest.Case{Program: difference, N: n, Over: []int{-1}, Args: []progtest.Arg{
			{Floats: values.Normal(n, 1)}, {Address: address, Floats: values.Normal(row, 2)},
		}})
	}
	for _, n := range []int{1, 2, 120, 360, 3 * 64} {
		for row := 1; row <= n; row++ {
			if n%row == 0 {
				check(n, row, kernel.Row)
				check(n, row, kernel.Col)
			}
		}
	}
	for _, size := range [][2]int{{3, 5003}, {5003, 3}, {257, 257}, {16, 1024}, {2, 20001}} {
		check(size[0]*size[1], size[1], kernel.Row)
		check(size[0]*size[1], size[0], kernel.Col)
	}
}

// testProgramsInPlace runs programs whose results overwrite arguments that other results need,
// and one buffer for all operands.
func testProgramsInPlace(t *testing.T, b compute.Backend) {
	run, end := runner(t, b)
	defer end()
	both := &progtest.Case{Program: swap, Args: []progtest.Arg{{}, {}, {Address: kernel.Bit}, {Address: kernel.Bit}}, Over: []int{0, 1, 2, 3}}
	crossed := &progtest.Case{Program: swap, Args: both.Args, Over: []int{1, 0, 3, 2}}
	for i, n := range []int{1, 63, 64, 65, 200, 5001, 70001} {
		right(t, run, both.Of(random(i, 1), n))
		right(t, run, crossed.Of(random(i, 2), n))
		xs := values.Normal(n, uint64(i))
		right(t, run, &progtest.Case{Program: axpy, N: n, Over: []int{1}, Args: []progtest.Arg{{Floats: xs}, {Floats: xs}, {Floats: xs}}})
	}
}

// testProgramOrder makes calls that depend on one another, without waiting between them.
func testProgramOrder(t *testing.T, b compute.Backend) {
	const n = 10010
	xs, rs := values.Normal(n, 3), values.Normal(10, 4)
	x, y, r := upload(t, b, xs), alloc(t, b, n), upload(t, b, rs)
	m := allocMask(t, b, n)
	defer release(t, x, y, r, m)
	below := expr.MustParse("func below(x, y float32) (c bool) { return x < y }")
	choose := expr.MustParse("func choose(c bool, x, y float32) (z float32) { return where(c, x, y) }")
	call, err := b.Prepare(axpy, y, compute.F32(2), y, x)
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range []error{
		b.Run(axpy, y, compute.F32(3), x, compute.Row(r)), // y = 3x + r
		call.Run(),                                                // y = 2y + x
		b.Run(below, m, y, x),                                     // whether y < x
		b.Forward(compute.LeakyReLU(-0.5), y, y),                  // y = |y| or |y|/2
		call.Set("s", compute.F32(-1)),                            //
		b.Run(choose, y, m, y, x),                                 // y where y < x was true, x elsewhere
		r.Write(make([]float32, 10)), x.Write(make([]float32, n)), // the calls above do not see it
		call.Run(), // y = -y
		b.Sync(),
	} {
		if err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
	got := read(t, y)
	for i, x := range xs {
		y := float32(3*x) + rs[i%10]
		y = float32(2*y) + x
		want := x
		if y < x {
			want = compute.LeakyReLU(-0.5).Value(y)
		}
		if want = -want + 0; !values.Same(got[i], want) {
			t.Fatalf("y[%d] is %v and should be %v", i, got[i], want)
		}
	}
}

// testPrepared runs one prepared call with several scalars and contents of buffers.
func testPrepared(t *testing.T, b compute.Backend) {
	const n = 130
	x, y := alloc(t, b, n), alloc(t, b, n)
	defer release(t, x, y)
	call, err := b.Prepare(expr.MustParse("f(x, s, t) = x*(s*s) + t"), y, x, compute.F32(1), compute.F32(100))
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string, s, add float32) {
		t.Helper()
		xs := values.Normal(n, uint64(s*4+64))
		write(t, x, xs)
		if err := call.Run(); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		got := read(t, y)
		for i, x := range xs {
			if want := float32(x*float32(s*s)) + add; !values.Same(got[i], want) {
				t.Fatalf("%s: y[%d] is %v and should be %v", what, i, got[i], want)
			}
		}
	}
	check("at first", 1, 100)
	for _, s := range []float32{-2, 3, 0.5} {
		wantError(t, "Set", call.Set("s", compute.F32(s)), nil)
		check("after Set of s", s, 100)
	}
	wantError(t, "Set", call.Set("t", compute.F32(-7)), nil)
	check("after Set of t", 0.5, -7)
	check("once more", 0.5, -7)
	wantWords(t, b, "Set of a buffer", call.Set("x", x), compute.ErrArgument, "set x of f")
	wantWords(t, b, "Set of another type", call.Set("s", compute.U32(1)), compute.ErrArgument, "set s of f")
	wantWords(t, b, "Set of nothing", call.Set("u", compute.F32(1)), compute.ErrArgument, "set u of f", "no argument u")
	check("after calls of Set with errors", 0.5, -7)
	release(t, x)
	wantWords(t, b, "Run on a released buffer", call.Run(), compute.ErrClosed, "run f", "x was released")
}

// testRandomNumbers checks that random numbers go by the index of the element, in calls of any
// length.
func testRandomNumbers(t *testing.T, b compute.Backend) {
	run, end := runner(t, b)
	defer end()
	for i, n := range []int{1, 63, 65, 1000, 8191, 16385, 100003} {
		right(t, run, &progtest.Case{Program: draw, N: n, Over: []int{i%2 - 1}, Args: []progtest.Arg{
			{Floats: values.Normal(n, 5)}, {Address: kernel.Scalar, Scalar: uint32(i) * 12345}, {Address: kernel.Scalar, Scalar: 3},
		}})
	}
}

// testRunSlices runs long slices, with contexts that have ended, and with memory that overlaps.
func testRunSlices(t *testing.T, b compute.Backend) {
	ctx := context.Background()
	run, end := runner(t, b)
	defer end()
	c := &progtest.Case{Program: blend, Args: []progtest.Arg{
		{}, {Address: kernel.Row}, {Address: kernel.Col}, {Address: kernel.Bit}, {Address: kernel.Scalar}, {Address: kernel.Scalar},
	}}
	for i, n := range []int{0, 1, 5, 130, 65540, 1<<20 + 4} {
		if testing.Short() && n > 1<<17 {
			break
		}
		for j, over := range [][]int{{0, -1, 3, -1}, {-1, -1, -1, -1}} {
			if j > 0 && n > 1<<17 {
				break // takes long
			}
			c.Over = over
			c := c.Of(random(i, j), n)
			if err := run.Slices(ctx, c, c.Want()); err != nil {
				t.Fatalf("RunSlices: %v\n%v", err, c)
			}
		}
	}
	v := make(compute.Slice, 200)
	for i := range v {
		v[i] = float32(i) - 100
	}
	before := slices.Clone(v)
	s := compute.F32(2)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	for what, test := range map[string]struct {
		err, want error
	}{
		"of different lengths":           {b.RunSlices(ctx, axpy, v[:3], s, v[50:54], v[60:63]), compute.ErrLength},
		"with a row of another length":   {b.RunSlices(ctx, axpy, v[:9], s, v[50:59], compute.Row(v[60:64])), compute.ErrLength},
		"with the result after an input": {b.RunSlices(ctx, axpy, v[1:51], s, v[:50], v[100:150]), compute.ErrOverlap},
		"with a result before an input":  {b.RunSlices(ctx, axpy, v[:50], s, v[100:150], v[49:99]), compute.ErrOverlap},
		"with a result in a row":         {b.RunSlices(ctx, axpy, v[:50], s, v[100:150], compute.Row(v[40:50])), compute.ErrOverlap},
		"with too few arguments":         {b.RunSlices(ctx, axpy, v[:50], s, v[100:150]), compute.ErrArgument},
		"with nil":                       {b.RunSlices(ctx, axpy, nil, s, v[100:150], v[:50]), compute.ErrForeignBuffer},
		"with a cancelled context":       {b.RunSlices(cancelled, axpy, v, s, v, v), context.Canceled},
		"with a deadline in the past":    {b.RunSlices(past{ctx}, axpy, v, s, v, v), context.DeadlineExceeded},
	} {
		wantWords(t, b, "RunSlices "+what, test.err, test.want, "run slices axpy")
	}
	var none context.Context
	err := b.RunSlices(none, axpy, v, s, v, v)
	wantWords(t, b, "RunSlices with a nil context", err, err, "run slices axpy", "ctx is nil")
	same(t, "slices after refused calls", v, before)
	wantError(t, "RunSlices of adjacent slices", b.RunSlices(ctx, axpy, v[:50], s, v[50:100], v[100:150]), nil)
	wantError(t, "Sync after a cancelled RunSlices", b.Sync(), nil)
}

// testBadProgram makes calls of programs with wrong arguments.
func testBadProgram(t *testing.T, b compute.Backend) {
	v := []float32{1, -2, 3}
	x, y, long, none := upload(t, b, v), upload(t, b, v), alloc(t, b, 4), alloc(t, b, 0)
	gone, m := alloc(t, b, 3), allocMask(t, b, 3)
	release(t, gone)
	defer release(t, x, y, long, none, m)
	const s = compute.F32(2)
	two := expr.MustParse("func two(x float32) (y, z float32) { y, z = x, -x; return }")
	type args = []compute.Arg
	for what, test := range map[string]struct {
		p    *expr.Program
		args args
		want error
		word string
	}{
		"without arguments":               {axpy, nil, compute.ErrArgument, "0 arguments were given, and the program has 1 as results and 3 as arguments"},
		"with too many arguments":         {axpy, args{y, s, x, y, y}, compute.ErrArgument, "5 arguments"},
		"with a scalar for a result":      {axpy, args{s, s, x, y}, compute.ErrArgument, "result z"},
		"with a mask for a buffer":        {axpy, args{y, s, m, y}, compute.ErrArgument, "argument x"},
		"with a scalar of another type":   {axpy, args{y, compute.U32(1), x, y}, compute.ErrArgument, "argument s"},
		"with a slice":                    {axpy, args{y, s, compute.Slice(v), y}, compute.ErrArgument, "argument x"},
		"with nil":                        {axpy, args{y, s, nil, y}, compute.ErrForeignBuffer, "x is nil"},
		"with a nil pointer":              {axpy, args{typedNil(y), s, x, y}, compute.ErrForeignBuffer, "z is nil"},
		"with a wrapped buffer":           {axpy, args{y, s, foreign{x}, y}, compute.ErrForeignBuffer, "x, a "},
		"with a wrapped row":              {axpy, args{y, s, compute.Row(foreign{x}), y}, compute.ErrForeignBuffer, "x, a "},
		"with a released buffer":          {axpy, args{y, s, gone, y}, compute.ErrClosed, "x was released"},
		"with a longer buffer":            {axpy, args{y, s, long, y}, compute.ErrLength, "x has 4"},
		"with an empty buffer":            {axpy, args{y, s, none, y}, compute.ErrLength, "x has 0"},
		"with a longer row":               {axpy, args{y, s, compute.Row(long), y}, compute.ErrLength, "x repeats 4"},
		"with an empty column":            {axpy, args{y, s, compute.Col(none), y}, compute.ErrLength, "x repeats 0"},
		"with one buffer for two results": {two, args{x, x, y}, compute.ErrOverlap, "y and z"},
		"with a result as a row":          {axpy, args{x, s, y, compute.Row(x)}, compute.ErrOverlap, "repeated"},
	} {
		wantWords(t, b, "Run "+what, b.Run(test.p, test.args...), test.want, "run "+test.p.Name(), test.word)
		wantWords(t, b, "Prepare "+what, errorOf(b.Prepare(test.p, test.args...)), test.want, "prepare "+test.p.Name(), test.word)
	}
	zero := &expr.Program{}
	wantError(t, "Run of the zero Program", b.Run(zero, x, y), zero.Err())
	same(t, "x after refused calls", read(t, x), v)
	same(t, "y after refused calls", read(t, y), v)
	wantError(t, "Run on empty buffers", b.Run(axpy, none, s, none, none), nil)
	wantError(t, "Run on empty buffers, with a row", b.Run(axpy, none, s, none, compute.Row(x)), nil)
	for _, c := range []float32{float32(math.NaN()), float32(math.Inf(1))} { // no error, as for an Activation
		wantError(t, fmt.Sprintf("Run with the scalar %v", c), b.Run(axpy, y, compute.F32(c), x, y), nil)
	}
}
