package function

import (
	"math"
	"slices"
	"testing"

	"github.com/gmind-go/compute/internal/kernel"
)

// special has values at which the functions, with the parameters of this test, decide.
var special = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 6, 0x1.7ffffep2, 0x1.800002p2, 7, -7, 2, -2, 0x1p-149, -0x1p-149,
	math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
}

func same(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y }

// eval is Eval of float32.
func eval(f *Function, fm Form, params Params, a, b float32) (first, second float32) {
	x, y := f.Eval(fm, &params, uint64(math.Float32bits(a)), uint64(math.Float32bits(b)))
	return math.Float32frombits(uint32(x)), math.Float32frombits(uint32(y))
}

// TestFormulas compares the functions with formulas in Go.
func TestFormulas(t *testing.T) {
	clip := func(low, high, x float32) (y, factor float32) {
		switch {
		case x < low:
			return low, 0
		case x > high:
			return high, 0
		case low < x && x < high:
			return x, 1
		}
		return x, 0
	}
	formulas := map[string]func(p Params, x float32) (y, factor float32){
		"LeakyReLU": func(p Params, x float32) (float32, float32) {
			if x >= 0 {
				return x, 1
			}
			return p[0] * x, p[0]
		},
		"ReLU": func(_ Params, x float32) (float32, float32) {
			if x > 0 {
				return x, 1
			}
			return 0, 0
		},
		"ReLU6": func(_ Params, x float32) (float32, float32) { return clip(0, 6, x) },
		"Clip":  func(p Params, x float32) (float32, float32) { return clip(p[0], p[1], x) },
	}
	for _, f := range All() {
		formula, ok := formulas[f.Name]
		if !ok {
			t.Errorf("%s has no formula in this test", f.Name)
			continue
		}
		for _, params := range []Params{{0.01}, {-0.5, 2}, {-2, -1}, {0, 6}, {2, 2}, {float32(math.Copysign(0, -1)), 0}} {
			for _, x := range special {
				y, factor := formula(params, x)
				if got, _ := eval(f, Forward, params, x, 0); !same(got, y) {
					t.Errorf("%s%v of %v is %v, want %v", f.Name, params, x, got, y)
				}
				if got, _ := eval(f, Derivative, params, x, 0); !same(got, factor) {
					t.Errorf("the derivative of %s%v at %v is %v, want %v", f.Name, params, x, got, factor)
				}
				for _, dy := range special {
					dx := dy * factor // no product where the derivative is a 0 or 1 of the text
					if factor == 0 && f.Name != "LeakyReLU" {
						dx = 0
					}
					if got, _ := eval(f, Backward, params, dy, x); !same(got, dx) {
						t.Errorf("backward of %s%v at %v for %v is %v, want %v", f.Name, params, x, dy, got, dx)
					}
				}
			}
		}
	}
}

// TestForms compares the forms with each other: those of two results with those of one, and
// those by a bit with those by x.
func TestForms(t *testing.T) {
	for _, f := range All() {
		for _, params := range []Params{{0.01}, {-0.5, 2}, {0, 6}} {
			for _, x := range special {
				y, _ := eval(f, Forward, params, x, 0)
				d, _ := eval(f, Derivative, params, x, 0)
				if y2, d2 := eval(f, ForwardDerivative, params, x, 0); !same(y, y2) || !same(d, d2) {
					t.Errorf("%s%v of %v: %v and %v in one pass, %v and %v in two", f.Name, params, x, y2, d2, y, d)
				}
				if f.Program(ForwardMask) == nil {
					continue
				}
				y2, bit := f.Eval(ForwardMask, &params, uint64(math.Float32bits(x)), 0)
				if !same(y, math.Float32frombits(uint32(y2))) || bit > 1 {
					t.Errorf("%s%v of %v: %#x and the bit %d, want %v", f.Name, params, x, y2, bit, y)
				}
				for _, dy := range special {
					dx, _ := eval(f, Backward, params, dy, x)
					dx2, _ := f.Eval(BackwardMask, &params, uint64(math.Float32bits(dy)), bit)
					if !same(dx, math.Float32frombits(uint32(dx2))) {
						t.Errorf("backward of %s%v at %v for %v: %#x by the bit, and %v by x", f.Name, params, x, dy, dx2, dx)
					}
				}
			}
		}
	}
}

// TestKernels checks that each form has a kernel, with the addresses of its operands.
func TestKernels(t *testing.T) {
	const element, bit = kernel.Element, kernel.Bit
	operands := [Count][2][]kernel.Address{ // results and inputs
		Forward:           {{element}, {element}},
		Derivative:        {{element}, {element}},
		Backward:          {{element}, {element, element}},
		ForwardDerivative: {{element, element}, {element}},
		ForwardMask:       {{element, bit}, {element}},
		BackwardMask:      {{element}, {element, bit}},
	}
	check := func(name string, k *kernel.Kernel, want [2][]kernel.Address) {
		t.Helper()
		for i, got := range [2][]kernel.Address{k.Results, k.Inputs} {
			if !slices.Equal(got, want[i]) {
				t.Errorf("%s has operands at %v, want %v", name, got, want[i])
			}
		}
	}
	keys := map[string]string{}
	for i, f := range All() {
		if f != Of(i+1) || len(f.Params()) > MaxParams {
			t.Errorf("%s is not the function of kind %d, or has too many parameters", f.Name, i+1)
		}
		for fm := range Count {
			p, k := f.Program(Form(fm)), Kernel(i+1, Form(fm))
			if p == nil {
				continue
			}
			if n := len(p.IR().Nodes); n > maxNodes {
				t.Errorf("%v has %d nodes, Eval has room for %d", p, n, maxNodes)
			}
			check(p.Name(), k, operands[fm])
			if other, found := keys[k.Key]; found {
				t.Logf("%s and %s share a kernel", p.Name(), other)
			}
			keys[k.Key] = p.Name()
			for j, name := range f.Params() {
				if a := p.Args()[len(p.Args())-len(f.Params())+j]; a.Name != name {
					t.Errorf("argument %s of %s should be %s", a.Name, p.Name(), name)
				}
			}
		}
	}
	check("copy", Kernel(0, Copy), [2][]kernel.Address{{element}, {element}})
	if Of(0) != nil || Of(len(All())+1) != nil {
		t.Error("there is a function of no kind")
	}
}

// TestAllocations checks that Eval and Invalid allocate nothing.
func TestAllocations(t *testing.T) {
	for _, f := range All() {
		if f.requires != nil && len(f.requires.IR().Nodes) > maxNodes {
			t.Errorf("what %s requires is too long", f.Name)
		}
		params := f.Trials[0]
		if n := testing.AllocsPerRun(100, func() {
			f.Eval(Backward, &params, 1<<30, 1<<31)
			if what := f.Invalid(&params); what != "" {
				t.Errorf("%s%v: %s", f.Name, params, what)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations", f.Name, n)
		}
	}
}

// TestUnparams checks that the parameters of a kernel are found again.
func TestUnparams(t *testing.T) {
	for i, f := range All() {
		for fm := range Form(Count) {
			k := Kernel(i+1, fm)
			if k == nil {
				continue
			}
			args := make([]uint32, len(f.Program(fm).Args()))
			for j := range f.Params() {
				args[len(args)-len(f.Params())+j] = math.Float32bits(float32(j) + 0.5)
			}
			given := make([]uint32, len(k.Params))
			k.Eval(given, args, make([]uint64, k.Scratch()))
			params, ok := Unparams(i+1, fm, given)
			if ok != (len(given) == len(f.Params())) {
				t.Errorf("%v: found %v", f.Program(fm), ok)
			}
			for j := range f.Params() {
				if want := float32(j) + 0.5; ok && params[j] != want {
					t.Errorf("%v: parameter %d is %v, want %v", f.Program(fm), j, params[j], want)
				}
			}
		}
	}
}
