//go:build opencl && cgo

package gpu

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/progtest"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/kernels"
)

// programs are some that users write.
var programs = []*expr.Program{
	expr.MustParse(`func adam(w, m, v, g, rate, b1, b2, eps float32) (w2, m2, v2 float32) {
		m2 = b1*m + (1-b1)*g
		v2 = b2*v + (1-b2)*(g*g)
		w2 = w - rate*m2/(sqrt(v2)+eps)
		return
	}`),
	expr.MustParse(`func dropout(x, keep float32, seed, step uint32) (y float32, kept bool) {
		kept = rand(seed, step) < keep
		y = where(kept, x/keep, 0)
		return
	}`),
	expr.MustParse(`biasReLU(x, b) = max(x+b, 0)`),
	expr.MustParse(`func choose(x, y float32, m, n bool) (z float32, o bool) {
		o = m != n
		z = where(o, x, copysign(x*y-x, y))
		return
	}`),
	expr.MustParse(`func mixed(x, y float32) (z, w float32) {
		w = float32(bits(x)>>3) + float32(uint32(y))
		z = fma(x, y, floor(w)) / rint(y)
		return
	}`),
}

// TestPrograms runs programs on operands in random places, in all ways that data takes to a
// device.
func TestPrograms(t *testing.T) {
	testenv.Open(t, OpenDevice("any"))
	for name, o := range map[string]Options{
		"direct":       {Device: "any"},
		"staged":       {Device: "any", Staged: true},
		"staged least": {Device: "any", Staged: true, StreamMemory: minStreamMemory},
		"copied":       {Device: "any", StreamMemory: minStreamMemory},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := o.Open()
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			if name == "copied" {
				inside(b).shape.aligned = true // which does not take any slice as it is
			}
			run := progtest.NewRunner(b)
			for i, p := range programs {
				r := rand.New(rand.NewPCG(uint64(i), uint64(len(name))))
				for _, n := range []int{64 + r.IntN(64), 5 * 7 * 8 * 9 * 11} {
					c := progtest.New(r, p, n)
					if err := run.All(c); err != nil {
						t.Errorf("%v\n%v", err, c)
					}
				}
			}
			if err := run.Release(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestCompile: an equal kernel is not compiled again, and concurrent calls of one that is new
// all get their results.
func TestCompile(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	p := expr.MustParse("f(x, s) = x*x - s")
	first, err := inside(b).Compile(kernel.New(p.IR(), []kernel.Address{kernel.Element, kernel.Scalar}))
	if err != nil {
		t.Fatal(err)
	}
	again, err := inside(b).Compile(kernel.New(expr.MustParse("g(y, t) = y*y - t").IR(), []kernel.Address{kernel.Element, kernel.Scalar}))
	if err != nil || first != again {
		t.Errorf("%p and %p, %v", first, again, err)
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			x, y := []float32{3, -4, 0.5}, make([]float32, 3)
			if err := b.RunSlices(context.Background(), expr.MustParse("h(x, s) = x*s - x"), compute.Slice(y), compute.Slice(x), compute.F32(i)); err != nil {
				t.Error(err)
			}
			if want := float32(i)*3 - 3; y[0] != want {
				t.Errorf("got %v, want %v", y[0], want)
			}
		})
	}
	wg.Wait()
}

// TestForgotten: a program is compiled again if it is used after many others.
func TestForgotten(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	d := inside(b)
	d.codes.limit = 2
	x, err := b.Upload([]float32{-3, 5})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Release()
	y, err := b.Alloc(2)
	if err != nil {
		t.Fatal(err)
	}
	defer y.Release()
	var calls []compute.Call
	for i := range 4 {
		call, err := b.Prepare(expr.MustParse(fmt.Sprintf("f(x) = x*x - %d", i)), y, x)
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, call)
	}
	if n := len(d.codes.recent); n != 2 {
		t.Errorf("%d programs are kept, want 2", n)
	}
	for range 2 {
		for i, call := range calls {
			if err := call.Run(); err != nil {
				t.Fatal(err)
			}
			got := make([]float32, 2)
			if err := y.Read(got); err != nil {
				t.Fatal(err)
			}
			if want := []float32{9 - float32(i), 25 - float32(i)}; !slices.Equal(got, want) {
				t.Errorf("program %d gives %v, want %v", i, got, want)
			}
		}
		d.kernels.release() // as when there are many
	}
}

// TestMiscompiled: what a driver computes wrong is found before it is used. What it only does
// with products or selects is compiled again so that it cannot.
func TestMiscompiled(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	d := inside(b)
	elements := func(p string) *kernel.Kernel {
		q := expr.MustParse(p)
		addresses := make([]kernel.Address, len(q.Args())) // Element
		return kernel.New(q.IR(), addresses)
	}
	for name, test := range map[string]struct {
		patch   string // added to the prelude
		program string
		want    error
		tells   []string
		guarded bool
	}{
		"contracted": {"#pragma clang fp contract(fast)\n", "f(x, y, z) = x*y + z", nil, nil, true},
		"maximum": {
			"#define select(b, a, c) fmax(b, a)\n", "f(x, y) = floor(where(x > y, x, y))", compute.ErrMiscompiled,
			[]string{"a0 = ", "a1 = ", "select("}, true,
		},
		"wrong": {
			"#define floor ceil\n", "f(x) = floor(x) + 1", compute.ErrMiscompiled,
			[]string{"the device computes y = ", ", and not ", " for a0 = ", "floor(a0_[k])"}, true,
		},
		"no function": {
			"#define floor no_such_function\n", "f(x) = floor(x) + 1", compute.ErrCompile,
			[]string{"clBuildProgram: the program does not build: ", "no_such_function"}, false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			d.prelude = kernels.Prelude + test.patch
			c, err := d.Compile(elements(test.program))
			if !errors.Is(err, test.want) || errors.Is(err, compute.ErrDevice) {
				t.Fatalf("%v, want %v", err, test.want)
			}
			for _, part := range test.tells {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not have %q", err, part)
				}
			}
			if err == nil && c.(*code).guarded != test.guarded { // of another compiler than clang, or no fused operation
				t.Skipf("the compiler ignores %q", test.patch)
			}
		})
	}
	for name, test := range map[string]struct {
		patch string
		kind  reduceKind
		want  error
	}{
		"wrong maximum":            {"#define max(a, b) min(a, b)\n", reduceKind{compute.Max, false}, compute.ErrMiscompiled},
		"wrong maximum of columns": {"#define max(a, b) min(a, b)\n", reduceKind{compute.Max, true}, compute.ErrMiscompiled},
		"wrong division in a mean": {"#define divide(a, b) ((a) * (1 / (b)))\n", reduceKind{compute.Mean, false}, compute.ErrMiscompiled},
		"wrong where aligned":      {"#undef LOAD\n#define LOAD(from) (ANY_LOAD(from) + 1.0f)\n", reduceKind{compute.Sum, false}, compute.ErrMiscompiled},
		"wrong columns, aligned":   {"#undef LOAD\n#define LOAD(from) (ANY_LOAD(from) + 1.0f)\n", reduceKind{compute.Sum, true}, compute.ErrMiscompiled},
		"no function in a minimum": {"#define min no_such_function\n", reduceKind{compute.Min, true}, compute.ErrCompile},
	} {
		t.Run(name, func(t *testing.T) {
			d.prelude = kernels.Prelude + test.patch
			_, err := d.reduceCode(newReduction(elements("f(x) = x")), test.kind)
			if !errors.Is(err, test.want) || errors.Is(err, compute.ErrDevice) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
	d.prelude = kernels.Prelude
	if _, err := d.Compile(elements("f(x) = floor(x) + 1")); err != nil { // it stays usable
		t.Error(err)
	}
	if n := len(d.codes.recent); n != 2 { // and what is wrong is not kept
		t.Errorf("%d programs are kept, want 2", n)
	}
}

// TestParameters: a kernel with more arguments than the device takes is refused.
func TestParameters(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	found := *inside(b).found
	found.Parameters = 64
	inside(b).found = &found
	v := make(compute.Slice, 1)
	p := expr.MustParse("f(a, b, c, d, e, f, g, h) = a*b*c*d*e*f*g*h")
	err := b.RunSlices(context.Background(), p, v, v, v, v, v, v, v, v, v)
	if !errors.Is(err, compute.ErrCompile) || !strings.Contains(err.Error(), "1 results, 8 inputs and 0 scalars takes 84 bytes of arguments, and the device 64") {
		t.Error(err)
	}
}
