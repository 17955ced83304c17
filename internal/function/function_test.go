package function

import (
	"math"
	"slices"
	"testing"

	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/rounded"
	"github.com/gmind-go/compute/internal/single"
	"github.com/gmind-go/compute/internal/values"
)

// special has values at which the functions, with the parameters of this test, decide.
var special = []float32{
	0, float32(math.Copysign(0, -1)), 1, -1, 0.5, -0.5, 6, 0x1.7ffffep2, 0x1.800002p2, 7, -7, 2, -2, 0x1p-149, -0x1p-149,
	math.MaxFloat32, -math.MaxFloat32, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()),
}

// borders are values at which functions saturate, or change their branch.
var borders = []float32{
	3, -3, 0x1.7ffffep1, -0x1.7ffffep1, 0x1.800002p1, -0x1.800002p1, 16, -16, 88, -88, -87.5, 104, -104, -105, 1e-3, -1e-3,
	0x1p-24, -0x1p-24, 1e20, -1e20, 3e38, -3e38, 0x1p-126, -0x1p-126,
}

func same(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y }

// eval is Eval of float32.
func eval(f *Function, fm Form, params Params, a, b float32) (first, second float32) {
	x, y := f.Eval(fm, &params, uint64(math.Float32bits(a)), uint64(math.Float32bits(b)))
	return math.Float32frombits(uint32(x)), math.Float32frombits(uint32(y))
}

// A result is what a formula returns for x.
type result struct {
	y, d float32
	zero bool // the gradient is +0, and not a product with d
}

// sel is a result whose derivative is a 0, a 1 or a parameter that was selected.
func sel(y, d float32) result { return result{y, d, d == 0} }

// by returns the formula of a function and its derivative.
func by(f, prime func(float32) float32) func(Params, float32) result {
	return func(_ Params, x float32) result { return result{y: f(x), d: prime(x)} }
}

func clip(low, high, x float32) result {
	switch {
	case x < low:
		return sel(low, 0)
	case x > high:
		return sel(high, 0)
	case low < x && x < high:
		return sel(x, 1)
	}
	return sel(x, 0)
}

// formulas are the definitions of the functions in Go, which the programs do not share code with.
var formulas = map[string]func(p Params, x float32) result{
	"LeakyReLU": func(p Params, x float32) result {
		if x >= 0 {
			return sel(x, 1)
		}
		return result{y: p[0] * x, d: p[0]}
	},
	"ReLU": func(_ Params, x float32) result {
		if x > 0 {
			return sel(x, 1)
		}
		return sel(0, 0)
	},
	"ReLU6":    func(_ Params, x float32) result { return clip(0, 6, x) },
	"Clip":     func(p Params, x float32) result { return clip(p[0], p[1], x) },
	"HardTanh": func(_ Params, x float32) result { return clip(-1, 1, x) },
	"ELU": func(p Params, x float32) result {
		if x > 0 {
			return sel(x, 1)
		}
		return result{y: p[0] * rounded.Expm1(x), d: p[0] * rounded.Exp(x)}
	},
	"CELU": func(p Params, x float32) result {
		if x > 0 {
			return sel(x, 1)
		}
		inverse := 1 / p[0]
		return result{y: p[0] * rounded.Expm1(x*inverse), d: rounded.Exp(x * inverse)}
	},
	"SELU": func(_ Params, x float32) result {
		lambda, product := math.Float32frombits(0x3f867d5f), math.Float32frombits(0x3fe10966)
		if x > 0 {
			return result{y: lambda * x, d: lambda}
		}
		return result{y: product * rounded.Expm1(x), d: product * rounded.Exp(x)}
	},
	"Sigmoid":    by(rounded.Sigmoid, rounded.SigmoidPrime),
	"LogSigmoid": by(func(x float32) float32 { return -rounded.Softplus(-x) }, func(x float32) float32 { return rounded.Sigmoid(-x) }),
	"HardSigmoid": func(_ Params, x float32) result {
		c := clip(0, 6, x+3).y
		if -3 < x && x < 3 {
			return result{y: c / 6, d: float32(1.0 / 6)}
		}
		return sel(c/6, 0)
	},
	"Tanh":     by(rounded.Tanh, rounded.TanhPrime),
	"Softplus": by(rounded.Softplus, rounded.Sigmoid),
	"SoftplusBeta": func(p Params, x float32) result {
		return result{y: 1 / p[0] * rounded.Softplus(p[0]*x), d: rounded.Sigmoid(p[0] * x)}
	},
	"Softsign": by(rounded.Softsign, rounded.SoftsignPrime),
	"SiLU":     by(rounded.SiLU, rounded.SiLUPrime),
	"Swish": func(p Params, x float32) result {
		u := p[0] * x
		s, prime := rounded.Sigmoid(u), rounded.SigmoidPrime(u)
		r := result{y: x * s, d: single.FMA(u, prime, s)}
		if s == 0 && math.IsInf(float64(x), 0) { // the limit, not the product of the two
			r.y = float32(math.Copysign(0, float64(x)))
		}
		if math.IsInf(float64(u), 0) {
			r.d = s
		}
		return r
	},
	"HardSwish": func(_ Params, x float32) result {
		r := result{y: x * clip(0, 6, x+3).y / 6, d: float32(x/3) + 0.5}
		switch {
		case math.IsInf(float64(x), -1):
			r = sel(float32(math.Copysign(0, -1)), 0)
		case x <= -3:
			r = sel(r.y, 0)
		case x >= 3:
			r = sel(r.y, 1)
		}
		return r
	},
	"Mish":     by(rounded.Mish, rounded.MishPrime),
	"GELU":     by(rounded.GELU, rounded.GELUPrime),
	"GELUTanh": by(rounded.GELUTanh, rounded.GELUTanhPrime),
	"Exp":      by(rounded.Exp, rounded.Exp),
	"Square":   func(_ Params, x float32) result { return result{y: x * x, d: 2 * x} },
	"Abs": func(_ Params, x float32) result {
		switch {
		case x > 0:
			return sel(x, 1)
		case x < 0:
			return sel(-x, -1)
		}
		return sel(float32(math.Abs(float64(x))), 0)
	},
	"SoftShrink": func(p Params, x float32) result {
		switch {
		case x > p[0]:
			return sel(x-p[0], 1)
		case x < -p[0]:
			return sel(x+p[0], 1)
		case x == x:
			return sel(0, 0)
		}
		return sel(x, 1)
	},
	"HardShrink": func(p Params, x float32) result {
		if -p[0] <= x && x <= p[0] {
			return sel(0, 0)
		}
		return sel(x, 1)
	},
	"TanhShrink": func(_ Params, x float32) result {
		return result{y: x - rounded.Tanh(x), d: 1 - rounded.TanhPrime(x)}
	},
	"Threshold": func(p Params, x float32) result {
		if x <= p[0] {
			return sel(p[1], 0)
		}
		return sel(x, 1)
	},
}

// TestFormulas compares the functions with formulas in Go.
func TestFormulas(t *testing.T) {
	list := []Params{{0.01}, {-0.5, 2}, {-2, -1}, {0, 6}, {2, 2}, {float32(math.Copysign(0, -1)), 0}}
	dys := append(special, -0.3)
	for _, f := range All() {
		formula, ok := formulas[f.Name]
		if !ok {
			t.Errorf("%s has no formula in this test", f.Name)
			continue
		}
		for _, params := range append(f.Trials, list...) {
			if f.Invalid(&params) != "" {
				continue
			}
			for _, x := range slices.Concat(special, borders, values.Normal(100, 1), values.Bits(100, 2)) {
				want := formula(params, x)
				if got, _ := eval(f, Forward, params, x, 0); !same(got, want.y) {
					t.Errorf("%s%v of %v is %v, want %v", f.Name, params, x, got, want.y)
				}
				if got, _ := eval(f, Derivative, params, x, 0); !same(got, want.d) {
					t.Errorf("the derivative of %s%v at %v is %v, want %v", f.Name, params, x, got, want.d)
				}
				for _, dy := range dys {
					dx := dy * want.d
					if want.zero {
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

// TestRequires: a function refuses parameters for which it is not defined.
func TestRequires(t *testing.T) {
	inf, least := float32(math.Inf(1)), float32(0x1p-126)
	for _, test := range []struct {
		name    string
		params  Params
		invalid bool
	}{
		{"ELU", Params{inf}, true}, {"ELU", Params{0}, false}, {"ELU", Params{-2}, false},
		{"CELU", Params{0}, true}, {"CELU", Params{least / 2}, true}, {"CELU", Params{least}, false}, {"CELU", Params{-1}, false},
		{"SoftplusBeta", Params{0}, true}, {"SoftplusBeta", Params{-1}, true}, {"SoftplusBeta", Params{least}, false},
		{"Swish", Params{-inf}, true}, {"Swish", Params{-1}, false},
		{"SoftShrink", Params{-0.5}, true}, {"SoftShrink", Params{0}, false}, {"HardShrink", Params{-0.5}, true},
		{"Threshold", Params{1, inf}, true}, {"Threshold", Params{1, -1}, false},
	} {
		f := all[slices.IndexFunc(all, func(f *Function) bool { return f.Name == test.name })]
		if what := f.Invalid(&test.params); (what != "") != test.invalid {
			t.Errorf("%s%v: %q", test.name, test.params, what)
		}
	}
}

// TestBits: the functions that are linear in parts have a bit, and no others.
func TestBits(t *testing.T) {
	want := []string{"LeakyReLU", "ReLU", "ReLU6", "Clip", "HardTanh", "HardSigmoid", "SoftShrink", "HardShrink", "Threshold"}
	var got []string
	for _, f := range All() {
		if f.Program(ForwardMask) != nil {
			got = append(got, f.Name)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v have a bit; want %v", got, want)
	}
}

// TestForms compares the forms with each other: those of two results with those of one, and
// those by a bit with those by x.
func TestForms(t *testing.T) {
	for _, f := range All() {
		for _, params := range append(f.Trials, []Params{{0.01}, {-0.5, 2}, {0, 6}}...) {
			for _, x := range append(special, borders...) {
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
			want := len(given) == len(f.Params())
			for j := range given {
				want = want && k.Scalar(j) >= 0 // CELU has 1/alpha
			}
			if ok != want {
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
