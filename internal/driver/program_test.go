package driver

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/progtest"
)

// evaluating is a device that computes with the reference.
type evaluating struct {
	fake
	live       atomic.Int32 // allocations
	compiled   atomic.Int32
	compileErr error
	compiling  func() // during Compile, or nil
}

func (d *evaluating) Alloc(n int, mask bool) (Memory, error) {
	d.live.Add(1)
	if mask {
		return Host{Words: slices.Repeat([]uint64{math.MaxUint64}, form.MaskWords(n))}, nil
	}
	return Host{Floats: make([]float32, n)}, nil
}

func (d *evaluating) Free(Memory) error {
	d.live.Add(-1)
	return nil
}

func (d *evaluating) View(m Memory, from, n int) (Memory, error) {
	d.live.Add(1)
	return Host{Floats: m.(Host).Floats[from : from+n]}, nil
}

func (d *evaluating) Write(m Memory, src []float32) error {
	copy(m.(Host).Floats, src)
	return nil
}

func (d *evaluating) Read(m Memory, dst []float32) error {
	copy(dst, m.(Host).Floats)
	return nil
}

func (d *evaluating) ReadMask(m Memory, dst []uint64) error {
	copy(dst, m.(Host).Words)
	return nil
}

func (d *evaluating) Compile(k *kernel.Kernel) (Code, error) {
	d.compiled.Add(1)
	if d.compiling != nil {
		d.compiling()
	}
	return k.Key, d.compileErr
}

func (d *evaluating) Launch(c *Call) error {
	h := &HostCall{Kernel: c.Kernel, Code: c.Code, N: c.N, Index: c.Index, Total: c.Total, Params: c.Params}
	for _, o := range c.Operands {
		h.Operands = append(h.Operands, kernel.Operand[Host]{Memory: o.Memory.(Host), Len: o.Len, Period: o.Period})
	}
	return d.Stream(context.Background(), h)
}

func (d *evaluating) Stream(_ context.Context, c *HostCall) error {
	if c.Code != c.Kernel.Key {
		return errors.New("the code is that of another kernel")
	}
	Eval(c)
	return nil
}

// TestRandomPrograms runs random programs in all ways, with operands in all places.
func TestRandomPrograms(t *testing.T) {
	d := &evaluating{}
	b := New(d)
	run := progtest.NewRunner(b)
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		c := progtest.New(r, progtest.Random(r, 15), r.IntN(150))
		if err := run.All(c); err != nil {
			t.Fatalf("seed %d: %v\n%v", seed, err, c)
		}
	}
	if err := errors.Join(run.Release(), b.Close()); err != nil || d.live.Load() != 0 {
		t.Errorf("%v, and %d allocations are left", err, d.live.Load())
	}
}

var (
	axpy = expr.MustParse("axpy(x, y, s) = s*x + y")
	pair = expr.MustParse(`func pair(x, r float32, c bool, u uint32) (y, z float32, d bool) {
		y = where(c, x, r)
		z = x - r
		d = rand(u, u) < x
		return
	}`)
)

// refused fails the test unless err wraps want and has the words.
func refused(t *testing.T, what string, err, want error, words ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want one that wraps %q", what, err, want)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%s: the error does not contain %q: %v", what, word, err)
		}
	}
}

// TestWrongArguments checks the errors of Run and Prepare, by the error that they wrap and the
// words that they have.
func TestWrongArguments(t *testing.T) {
	b := New(&evaluating{})
	defer b.Close()
	other := New(&evaluating{})
	defer other.Close()
	x, m := operandsOf(t, b, 6)
	y, m2 := operandsOf(t, b, 6)
	z, _ := operandsOf(t, b, 6)
	long, longMask := operandsOf(t, b, 12)
	four, _ := operandsOf(t, b, 4)
	empty, _ := operandsOf(t, b, 0)
	gone, goneMask := operandsOf(t, b, 6)
	gone.Release()
	goneMask.Release()
	theirs, theirMask := operandsOf(t, other, 6)
	type args = []compute.Arg
	const s, u = compute.F32(2), compute.U32(3)
	sixteen := make([]string, 15)
	for i := range sixteen {
		sixteen[i] = fmt.Sprintf("a%d", i)
	}
	wide := expr.MustParse("func wide(" + strings.Join(sixteen, ", ") + " float32) (y, z float32) { y = " + strings.Join(sixteen, "+") + "; z = a0; return }")
	zero, bad := &expr.Program{}, axpy.Partial("z")
	for i, test := range []struct {
		p     *expr.Program
		args  args
		want  error
		words []string
	}{
		{axpy, nil, compute.ErrArgument, []string{"0 arguments were given, and the program has 1 as results and 3 as arguments", "give"}},
		{axpy, args{y, x, y}, compute.ErrArgument, []string{"3 arguments were given, and the program has 1 as results and 3"}},
		{axpy, args{y, x, y, s, s}, compute.ErrArgument, []string{"5 arguments"}},
		{axpy, args{s, x, y, s}, compute.ErrArgument, []string{"result y", "float32", "compute.F32", "give a Buffer"}},
		{axpy, args{compute.Row(y), x, z, s}, compute.ErrArgument, []string{"result", "Row of a", "give a Buffer"}},
		{axpy, args{m, x, z, s}, compute.ErrArgument, []string{"result", "driver.mask", "give a Buffer"}},
		{axpy, args{y, m, z, s}, compute.ErrArgument, []string{"argument x", "driver.mask", "give a Buffer, Row, Col or F32"}},
		{axpy, args{y, x, z, u}, compute.ErrArgument, []string{"argument s", "compute.U32"}},
		{axpy, args{y, x, z, compute.Bool(true)}, compute.ErrArgument, []string{"argument s", "compute.Bool"}},
		{axpy, args{y, x, compute.Row(m), s}, compute.ErrArgument, []string{"argument y", "Row of a *driver.mask"}},
		{axpy, args{y, x, compute.Col(s), s}, compute.ErrArgument, []string{"argument y", "Col of a compute.F32"}},
		{axpy, args{y, x, compute.Row(compute.Row(z)), s}, compute.ErrArgument, []string{"argument y", "Row of a compute.Repeated"}},
		{axpy, args{y, compute.Slice{1}, z, s}, compute.ErrArgument, []string{"argument x", "compute.Slice", "RunSlices"}},
		{axpy, args{y, x, compute.Row(compute.Slice{1}), s}, compute.ErrArgument, []string{"argument y", "RunSlices"}},
		{pair, args{y, z, m2, x, s, compute.Words{1}, u}, compute.ErrArgument, []string{"argument c", "compute.Words", "RunSlices"}},
		{pair, args{y, z, x, x, s, m, u}, compute.ErrArgument, []string{"result d", "bool", "give a Mask"}},
		{pair, args{y, z, compute.Bool(true), x, s, m, u}, compute.ErrArgument, []string{"result d", "compute.Bool"}},
		{pair, args{y, z, m2, x, s, x, u}, compute.ErrArgument, []string{"argument c", "bool", "give a Mask or a Bool"}},
		{pair, args{y, z, m2, x, s, m, s}, compute.ErrArgument, []string{"argument u", "uint32", "compute.F32", "give a U32"}},
		{pair, args{y, z, m2, x, s, m, x}, compute.ErrArgument, []string{"argument u", "give a U32"}},
		{pair, args{y, z, m2, x, s, m, nil}, compute.ErrArgument, []string{"argument u", "give a U32"}},
		{expr.MustParse("func f(u uint32) (v uint32) { return u + 1 }"), args{y, u}, compute.ErrArgument, []string{"result v", "uint32", "float32(v)", "frombits(v)"}},
		{wide, args{y, z, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x}, compute.ErrArgument, []string{"17 buffers and masks", "may have 16", "split"}},

		{axpy, args{nil, x, z, s}, compute.ErrForeignBuffer, []string{"result y_ is nil", "give a Buffer"}},
		{axpy, args{y, nil, z, s}, compute.ErrForeignBuffer, []string{"argument x is nil", "give a Buffer, Row, Col or F32"}},
		{axpy, args{y, (*buffer)(nil), z, s}, compute.ErrForeignBuffer, []string{"x is nil", "Alloc"}},
		{axpy, args{y, compute.Row(nil), z, s}, compute.ErrForeignBuffer, []string{"argument x is nil"}},
		{axpy, args{y, compute.Col((*buffer)(nil)), z, s}, compute.ErrForeignBuffer, []string{"x is nil"}},
		{pair, args{y, z, compute.Bits(nil), x, s, m, u}, compute.ErrForeignBuffer, []string{"result d is nil", "give a Mask"}},
		{pair, args{y, z, m2, x, s, nil, u}, compute.ErrForeignBuffer, []string{"argument c is nil", "give a Mask or a Bool"}},
		{axpy, args{theirs, x, z, s}, compute.ErrForeignBuffer, []string{"y_, a *driver.buffer", "Upload"}},
		{axpy, args{y, x, theirs, s}, compute.ErrForeignBuffer, []string{"y, a *driver.buffer"}},
		{axpy, args{y, x, compute.Row(theirs), s}, compute.ErrForeignBuffer, []string{"y, a *driver.buffer"}},
		{axpy, args{y, struct{ compute.Buffer }{x}, z, s}, compute.ErrForeignBuffer, []string{"x, a struct"}},
		{pair, args{y, z, theirMask, x, s, m, u}, compute.ErrForeignBuffer, []string{"d, a *driver.mask", "AllocMask"}},
		{pair, args{y, z, m2, x, s, struct{ compute.Mask }{m}, u}, compute.ErrForeignBuffer, []string{"c, a struct"}},

		{axpy, args{gone, x, z, s}, compute.ErrClosed, []string{"y_ was released", "Alloc another"}},
		{axpy, args{y, gone, z, s}, compute.ErrClosed, []string{"x was released"}},
		{axpy, args{y, x, compute.Row(gone), s}, compute.ErrClosed, []string{"y was released"}},
		{pair, args{y, z, goneMask, x, s, m, u}, compute.ErrClosed, []string{"d was released"}},

		{axpy, args{long, x, z, s}, compute.ErrLength, []string{"12 elements", "has 6", "same"}},
		{axpy, args{y, long, z, s}, compute.ErrLength, []string{"x has 12", "has 6"}},
		{axpy, args{y, long, compute.Row(x), s}, compute.ErrLength, []string{"6 elements", "x has 12"}},
		{pair, args{y, z, longMask, x, s, m, u}, compute.ErrLength, []string{"d has 12", "6"}},
		{pair, args{y, z, m2, x, s, longMask, u}, compute.ErrLength, []string{"12", "6"}},
		{axpy, args{y, x, compute.Row(four), s}, compute.ErrLength, []string{"y repeats 4 elements", "has 6", "no multiple", "divides 6"}},
		{axpy, args{y, compute.Col(four), z, s}, compute.ErrLength, []string{"x repeats 4 elements", "has 6"}},
		{axpy, args{y, compute.Col(long), z, s}, compute.ErrLength, []string{"x repeats 12 elements", "has 6"}},
		{axpy, args{y, compute.Row(empty), z, s}, compute.ErrLength, []string{"x repeats 0 elements", "has 6"}},

		{pair, args{y, y, m2, x, s, m, u}, compute.ErrOverlap, []string{"y and z are the same buffer", "each result"}},
		{pair, args{x, x, m2, x, s, m, u}, compute.ErrOverlap, []string{"y and z"}},
		{axpy, args{x, compute.Row(x), z, s}, compute.ErrOverlap, []string{"y_ is written and repeated as x", "a buffer of its own"}},
		{pair, args{y, z, m2, x, compute.Col(z), m, u}, compute.ErrOverlap, []string{"z is written and repeated as r"}},

		{zero, args{y, x}, zero.Err(), []string{"zero Program"}},
		{nil, args{y, x}, zero.Err(), []string{"zero Program"}},
		{bad, args{y, x}, bad.Err(), []string{"z"}},
	} {
		for _, op := range []string{"run", "prepare"} {
			var err error
			if op == "run" {
				err = b.Run(test.p, test.args...)
			} else {
				_, err = b.Prepare(test.p, test.args...)
			}
			what := fmt.Sprintf("%s, case %d, %v", op, i, test.p)
			words := append([]string{"compute: " + op, "on fake"}, test.words...)
			if test.p.Err() == nil {
				words = append(words, op+" "+test.p.Name())
			}
			refused(t, what, err, test.want, words...)
		}
	}
	if err := b.Run(axpy, y, x, z, s); err != nil {
		t.Errorf("after all: %v", err)
	}
	if err := b.Run(axpy, empty, compute.Row(x), empty, s); err != nil {
		t.Errorf("a row for no elements: %v", err)
	}
}

// TestManyScalars: 16 scalars are allowed, and not more.
func TestManyScalars(t *testing.T) {
	b := New(&evaluating{})
	defer b.Close()
	x, _ := operandsOf(t, b, 3)
	for _, n := range []int{expr.MaxScalars, expr.MaxScalars + 1} {
		names, args := []string{"x"}, []compute.Arg{x, x}
		want := float32(1)
		for i := range n {
			names = append(names, fmt.Sprintf("s%d", i))
			args = append(args, compute.F32(i+1))
			want += float32(i + 1)
		}
		x.Write([]float32{1, 1, 1})
		err := b.Run(expr.MustParse(fmt.Sprintf("f(%s) = %s", strings.Join(names, ", "), strings.Join(names, "+"))), args...)
		if n > expr.MaxScalars {
			refused(t, "17 scalars", err, compute.ErrArgument, "17 scalars", "may have 16", "split")
			continue
		}
		got := make([]float32, 3)
		if x.Read(got); err != nil || got[2] != want {
			t.Errorf("16 scalars: %v, %v, want %v", got, err, want)
		}
	}
}

// TestClosedPrograms: nothing runs on a closed backend, and Prepared calls neither.
func TestClosedPrograms(t *testing.T) {
	b := New(&evaluating{})
	x, _ := operandsOf(t, b, 3)
	call, err := b.Prepare(axpy, x, x, x, compute.F32(1))
	if err != nil {
		t.Fatal(err)
	}
	released, _ := operandsOf(t, b, 3)
	onReleased, err := b.Prepare(axpy, x, released, x, compute.F32(1))
	if err != nil {
		t.Fatal(err)
	}
	released.Release()
	refused(t, "Run of a call with a released buffer", onReleased.Run(), compute.ErrClosed, "run axpy on fake", "x was released")
	b.Close()
	v := make(compute.Slice, 3)
	_, err = b.Prepare(axpy, x, x, x, compute.F32(1))
	refused(t, "Prepare", err, compute.ErrClosed, "prepare", "backend was closed")
	refused(t, "Run", b.Run(axpy, x, x, x, compute.F32(1)), compute.ErrClosed, "run", "backend was closed")
	refused(t, "Run of no program", b.Run(nil), compute.ErrClosed)
	refused(t, "RunSlices", b.RunSlices(context.Background(), axpy, v, v, v, compute.F32(1)), compute.ErrClosed, "run slices", "backend was closed")
	refused(t, "a prepared call", call.Run(), compute.ErrClosed, "run axpy", "backend was closed")
}

// TestSet sets the scalars of a prepared call.
func TestSet(t *testing.T) {
	b := New(&evaluating{})
	defer b.Close()
	x, m := operandsOf(t, b, 2)
	y, _ := operandsOf(t, b, 2)
	x.Write([]float32{1, -2})
	p := expr.MustParse("func f(x, s float32, c bool, u uint32) (y float32) { return where(c, x*(s*s), float32(u)) }")
	call, err := b.Prepare(p, y, x, compute.F32(3), compute.Bool(true), compute.U32(7))
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 2)
	check := func(what string, want ...float32) {
		t.Helper()
		if err := errors.Join(call.Run(), y.Read(got)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", what, got, err, want)
		}
	}
	check("at first", 9, -18)
	for _, test := range []struct {
		name  string
		v     compute.Arg
		want  error
		words []string
	}{
		{"t", compute.F32(1), compute.ErrArgument, []string{"set t of f on fake", "no argument t"}},
		{"y", y, compute.ErrArgument, []string{"no argument y"}},
		{"x", y, compute.ErrArgument, []string{"set x of f", "no scalar", "Prepare"}},
		{"x", compute.F32(1), compute.ErrArgument, []string{"no scalar", "Write"}},
		{"s", compute.U32(1), compute.ErrArgument, []string{"argument s", "float32", "compute.U32"}},
		{"s", x, compute.ErrArgument, []string{"is a scalar", "driver.buffer", "Prepare another"}},
		{"s", compute.Row(x), compute.ErrArgument, []string{"is a scalar", "compute.Repeated"}},
		{"c", m, compute.ErrArgument, []string{"is a scalar"}},
		{"c", compute.F32(1), compute.ErrArgument, []string{"argument c", "bool"}},
		{"u", compute.F32(1), compute.ErrArgument, []string{"argument u", "uint32", "give a U32"}},
	} {
		refused(t, fmt.Sprintf("Set(%q, %v)", test.name, test.v), call.Set(test.name, test.v), test.want, test.words...)
	}
	if err := call.Set("s", nil); err == nil {
		t.Error("Set of nil returns no error")
	}
	check("after calls of Set that were refused", 9, -18)
	if err := call.Set("s", compute.F32(-2)); err != nil {
		t.Error(err)
	}
	check("with s = -2", 4, -8)
	if err := errors.Join(call.Set("u", compute.U32(5)), call.Set("c", compute.Bool(false))); err != nil {
		t.Error(err)
	}
	check("with c = false and u = 5", 5, 5)
	x.Write([]float32{10, 20})
	if err := call.Set("c", compute.Bool(true)); err != nil {
		t.Error(err)
	}
	check("with another x", 40, 80)
}

// TestSetConcurrently: a Run has the scalars of one Set, whole.
func TestSetConcurrently(t *testing.T) {
	b := New(&evaluating{})
	defer b.Close()
	const n = 100
	y, _ := operandsOf(t, b, n)
	p := expr.MustParse("func f(s float32) (y, z float32) { y = s; z = s*s; return }")
	z, _ := operandsOf(t, b, n)
	call, err := b.Prepare(p, y, z, compute.F32(1))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := range 100 {
				if err := errors.Join(call.Set("s", compute.F32(g*1000+i)), call.Run()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(call.Set("s", compute.F32(-3)), call.Run()); err != nil {
		t.Fatal(err)
	}
	got := make([]float32, n)
	if z.Read(got); got[0] != 9 || got[n-1] != 9 {
		t.Errorf("%v, want 9", got)
	}
}

// TestPreparedAllocates: Run of a prepared call allocates nothing.
func TestPreparedAllocates(t *testing.T) {
	b := New(&fake{})
	x, m := operandsOf(t, b, 2)
	call, err := b.Prepare(expr.MustParse("func f(x, s float32) (y float32, c bool) { y = x*(s*s); c = x < s; return }"), x, m, x, compute.F32(2))
	if err != nil {
		t.Fatal(err)
	}
	if got := testing.AllocsPerRun(100, func() { call.Run() }); got != 0 {
		t.Errorf("Run allocates %v times", got)
	}
}
