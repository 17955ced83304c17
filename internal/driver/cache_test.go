package driver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/kernel"
)

// TestCompileOnce: equal programs are compiled once, also if they are called at the same time;
// other addresses are another kernel.
func TestCompileOnce(t *testing.T) {
	d := &evaluating{compiling: func() { time.Sleep(time.Millisecond) }}
	b := New(d)
	defer b.Close()
	const n = 4
	var wg sync.WaitGroup
	for range 16 {
		own := expr.MustParse("other(a, b, c) = c*a + b") // equal but for the names
		wg.Go(func() {
			x, _ := b.Upload([]float32{1, -2, 3, -4})
			y, _ := b.Alloc(n)
			for _, p := range []*expr.Program{axpy, own} {
				got := make([]float32, n)
				if err := errors.Join(b.Run(p, y, x, x, compute.F32(2)), y.Read(got)); err != nil || !slices.Equal(got, []float32{3, -6, 9, -12}) {
					t.Errorf("%v: %v, %v", p, got, err)
				}
			}
		})
	}
	wg.Wait()
	if got := d.compiled.Load(); got != 1 {
		t.Errorf("%d compilations of one kernel", got)
	}
	x, _ := operandsOf(t, b, n)
	if err := errors.Join(b.Run(axpy, x, x, x, compute.F32(-5)), b.Run(axpy, x, x, x, x)); err != nil || d.compiled.Load() != 2 {
		t.Errorf("with a buffer for the scalar: %d compilations, %v", d.compiled.Load(), err)
	}
	// The uniform parts differ, the kernel does not.
	y, _ := operandsOf(t, b, n)
	x.Write([]float32{1, -2, 3, -4})
	got := make([]float32, n)
	for i, text := range []string{"f(x, y, s) = (s-1)*x + y", "f(x, y, s) = (s*s)*x + y"} {
		y.Write(make([]float32, n))
		want := []float32{2, 9}[i] * -4
		if err := errors.Join(b.Run(expr.MustParse(text), y, x, y, compute.F32(3)), y.Read(got)); err != nil || got[3] != want || d.compiled.Load() != 2 {
			t.Errorf("%s: %v, want %v; %d compilations, %v", text, got, want, d.compiled.Load(), err)
		}
	}
}

// TestCacheBound: the cache forgets what was not used for the longest time.
func TestCacheBound(t *testing.T) {
	d := &evaluating{}
	b := New(d)
	defer b.Close()
	x, _ := operandsOf(t, b, 2)
	nth := func(i int) *expr.Program { return expr.MustParse(fmt.Sprintf("f(x) = x + %d", i+1)) }
	run := func(p *expr.Program) {
		t.Helper()
		if err := b.Run(p, x, x); err != nil {
			t.Fatal(err)
		}
	}
	hot := nth(0)
	run(hot)
	for i := 1; i < 3*maxCached; i++ {
		run(nth(i))
		run(hot)
	}
	if got := d.compiled.Load(); got != 3*maxCached {
		t.Errorf("%d compilations of %d programs, one of which is used all the time", got, 3*maxCached)
	}
	if p, k := len(b.programs.byProgram), len(b.programs.byKey); p > maxCached || k > maxCached {
		t.Errorf("%d programs and %d kernels are kept, want %d", p, k, maxCached)
	}
	run(nth(3*maxCached - 1)) // is kept
	run(nth(1))               // is not
	if got := d.compiled.Load(); got != 3*maxCached+1 {
		t.Errorf("%d compilations, want 1 more than %d", got, 3*maxCached)
	}
}

// TestCompileError: nothing is kept of an error.
func TestCompileError(t *testing.T) {
	d := &evaluating{compileErr: fmt.Errorf("line 3: no: %w", compute.ErrCompile)}
	b := New(d)
	defer b.Close()
	x, _ := operandsOf(t, b, 2)
	v := make(compute.Slice, 2)
	refused(t, "Run", b.Run(axpy, x, x, x, compute.F32(1)), compute.ErrCompile, "run axpy on fake", "line 3: no")
	_, err := b.Prepare(axpy, x, x, x, compute.F32(1))
	refused(t, "Prepare", err, compute.ErrCompile, "prepare axpy on fake")
	refused(t, "RunSlices", b.RunSlices(context.Background(), axpy, v, v, v, compute.F32(1)), compute.ErrCompile, "run slices axpy on fake")
	d.compileErr = nil
	if err := b.Run(axpy, x, x, x, compute.F32(1)); err != nil || d.compiled.Load() != 4 {
		t.Errorf("then: %v, %d compilations", err, d.compiled.Load())
	}
	d.compileErr = errOnFire
	refused(t, "a fault", b.Run(pair, x), compute.ErrArgument)
	err = b.Run(expr.MustParse("f(x) = x"), x, compute.Row(x))
	refused(t, "a fault while compiling", err, compute.ErrDevice)
	refused(t, "then Run", b.Run(axpy, x, x, x, compute.F32(1)), compute.ErrDevice, "on fire")
}

// TestCloseWhileCompiling: Close waits for a compilation, and the call ends with ErrClosed.
func TestCloseWhileCompiling(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	d := &evaluating{compiling: func() {
		entered <- true
		<-leave
	}}
	b := New(d)
	x, _ := operandsOf(t, b, 2)
	ran, closed := make(chan error), make(chan error)
	go func() { ran <- b.Run(axpy, x, x, x, compute.F32(1)) }()
	<-entered
	go func() { closed <- b.Close() }()
	for !b.closed.Load() {
		time.Sleep(time.Millisecond)
	}
	select {
	case <-closed:
		t.Error("Close did not wait for Compile")
	case <-time.After(10 * time.Millisecond):
	}
	leave <- true
	refused(t, "Run", <-ran, compute.ErrClosed)
	if err := <-closed; err != nil {
		t.Error(err)
	}
}

// TestReleaseWhileCompiling: other calls go on during a compilation, on the same buffers too.
func TestReleaseWhileCompiling(t *testing.T) {
	entered, leave := make(chan bool), make(chan bool)
	d := &evaluating{compiling: func() {
		entered <- true
		<-leave
	}}
	b := New(d)
	defer b.Close()
	x, _ := operandsOf(t, b, 2)
	ran := make(chan error)
	go func() { ran <- b.Run(axpy, x, x, x, compute.F32(1)) }()
	<-entered
	if err := errors.Join(x.Write([]float32{1, -2}), b.Sync(), x.Release()); err != nil {
		t.Error(err)
	}
	leave <- true
	refused(t, "Run", <-ran, compute.ErrClosed, "was released")
}

// compiling is a device that calls a function when it compiles.
type compiling struct {
	fake
	during func()
}

func (d *compiling) Compile(*kernel.Kernel) (Code, error) { d.during(); return nil, nil }

func (d *compiling) CompileReduce(*kernel.Kernel, compute.Reduction) (Code, error) {
	d.during()
	return nil, nil
}

// TestCompileWithoutLocks: while a call compiles its program, others can use its operands.
func TestCompileWithoutLocks(t *testing.T) {
	d := &compiling{during: func() {}}
	b := New(d)
	x, m := operandsOf(t, b, 2)
	y, _ := operandsOf(t, b, 2)
	one, _ := operandsOf(t, b, 1)
	all := calls(b, x, m)
	all["MatMul"] = func() error { return b.MatMul(y, x, 2, 1, one, 1, compute.Then(axpy, y, compute.F32(2))) }
	for _, name := range []string{"Run", "Reduce", "MatMul", "forward"} {
		compiled := 0
		d.during = func() {
			compiled++
			read := make(chan error)
			go func() { read <- x.Read(make([]float32, 2)) }()
			select {
			case <-read:
			case <-time.After(5 * time.Second):
				t.Errorf("%s holds the locks of its operands while it compiles", name)
				go func() { <-read }()
			}
		}
		b.programs = cache{}
		if err := all[name](); err != nil || compiled != 1 {
			t.Errorf("%s: %v, and it compiled %d kernels", name, err, compiled)
		}
	}
}
