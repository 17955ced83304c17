package kernel_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/randprog"
)

const (
	element = kernel.Element
	row     = kernel.Row
	col     = kernel.Col
	bit     = kernel.Bit
	scalar  = kernel.Scalar
)

func newKernel(text string, addresses ...kernel.Address) *kernel.Kernel {
	return kernel.New(expr.MustParse(text).IR(), addresses)
}

// eval returns the bits of the parameters of k.
func eval(k *kernel.Kernel, args []uint32) []uint32 {
	params := make([]uint32, len(k.Params))
	k.Eval(params, args, make([]uint64, k.Scratch()))
	return params
}

// same returns an error unless k computes what p does, at the element with the index, of args.
func same(p *ir.Program, k *kernel.Kernel, index uint64, args []uint64) error {
	want := make([]uint64, len(p.Nodes))
	p.Eval(want, index, args)
	scalars := make([]uint32, len(args))
	for i, a := range args {
		scalars[i] = uint32(a)
	}
	var inputs []uint64
	for i := range k.Inputs {
		inputs = append(inputs, args[k.Arg(i)])
		scalars[k.Arg(i)] = 0xdeadbeef // it is no scalar
	}
	for _, v := range eval(k, scalars) {
		inputs = append(inputs, uint64(v))
	}
	got := make([]uint64, len(k.Body.Nodes))
	k.Body.Eval(got, index, inputs)
	for i, r := range p.Results {
		if t, g, w := p.Nodes[r.Value].Type, got[k.Body.Results[i].Value], want[r.Value]; !randprog.Same(t, g, w) {
			return fmt.Errorf("result %d of %v is %#x and should be %#x", i, args, g, w)
		}
	}
	return nil
}

// TestRandom compares kernels of random programs, with arguments anywhere, with the programs.
func TestRandom(t *testing.T) {
	hoisted, indexed := 0, 0
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 0))
		p := ir.Simplify(randprog.New(r, randprog.Options{Operations: 30}))
		addresses := make([]kernel.Address, len(p.Args))
		for i, a := range p.Args {
			switch addresses[i] = kernel.Address(r.IntN(5)); {
			case a.Type == ir.U32, a.Type == ir.Bool && addresses[i] < bit:
				addresses[i] = scalar
			case a.Type == ir.F32 && addresses[i] == bit:
				addresses[i] = element
			}
		}
		k := kernel.New(p, addresses)
		if err := k.Body.Check(); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		if k.Body.Size() < p.Size() {
			hoisted++
		}
		if k.Indexed {
			indexed++
		}
		if k.Indexed != slices.ContainsFunc(k.Body.Nodes, func(n ir.Node) bool { return n.Op.Info().Indexed }) {
			t.Errorf("seed %d: Indexed is %v", seed, k.Indexed)
		}
		for range 10 {
			if err := same(p, k, r.Uint64N(1<<40), randprog.Args(r, p)); err != nil {
				t.Fatalf("seed %d, addresses %v: %v", seed, addresses, err)
			}
		}
		shape(t, p, k, addresses)
	}
	if hoisted == 0 || indexed == 0 {
		t.Errorf("%d programs with a part that depends on scalars alone, %d on the index", hoisted, indexed)
	}
}

// shape checks that the fields of k fit together.
func shape(t *testing.T, p *ir.Program, k *kernel.Kernel, addresses []kernel.Address) {
	t.Helper()
	if len(k.Body.Args) != len(k.Inputs)+len(k.Params) {
		t.Fatalf("%d arguments, %d inputs, %d parameters", len(k.Body.Args), len(k.Inputs), len(k.Params))
	}
	for i, a := range k.Inputs {
		if a != addresses[k.Arg(i)] || k.Body.Args[i] != p.Args[k.Arg(i)] || a == scalar {
			t.Errorf("input %d, %v at %d, is not the argument %d", i, k.Body.Args[i], a, k.Arg(i))
		}
	}
	for i, typ := range k.Params {
		if k.Body.Args[len(k.Inputs)+i].Type != typ {
			t.Errorf("parameter %d has another type than its argument", i)
		}
	}
	for i, r := range k.Body.Results {
		if isBool := k.Body.Nodes[r.Value].Type == ir.Bool; (k.Results[i] == bit) != isBool {
			t.Errorf("result %d is at %d", i, k.Results[i])
		}
	}
	used := make([]bool, len(k.Body.Args))
	for _, n := range k.Body.Nodes {
		if n.Op == ir.Arg {
			used[n.Imm] = true
		}
	}
	if slices.Contains(used, false) {
		t.Errorf("the body does not use all its arguments: %v", used)
	}
}

// TestUniform: what depends on scalars alone is a parameter, once.
func TestUniform(t *testing.T) {
	const text = `func adam(w, m, v, g, rate, b1, b2, eps float32) (w2, m2, v2 float32) {
		m2 = b1*m + (1-b1)*g
		v2 = b2*v + (1-b2)*(g*g)
		w2 = w - rate*m2/(sqrt(v2)+eps)
		return
	}`
	for _, test := range []struct {
		text      string
		addresses []kernel.Address
		ops       int // of the body
		params    int
		inputs    int
	}{
		{text, []kernel.Address{element, element, element, element, scalar, scalar, scalar, scalar}, 12, 6, 4},
		{text, []kernel.Address{element, element, element, element, scalar, row, scalar, col}, 13, 3, 6},
		{"f(x, s) = x * (s*s + 1)", []kernel.Address{element, scalar}, 1, 1, 1},
		{"f(x, s) = x*s + s", []kernel.Address{element, scalar}, 2, 1, 1},
		{"f(x, s) = x*s + s*s", []kernel.Address{element, scalar}, 2, 2, 1},
		{"f(s) = s*s + 1", []kernel.Address{scalar}, 0, 1, 0},
		{"f(x, s) = 2", []kernel.Address{element, scalar}, 0, 0, 0},
		{"f(x, s) = s", []kernel.Address{element, scalar}, 0, 1, 0},
		{"f(x, s, t) = where(s < t, x, -x)", []kernel.Address{row, scalar, scalar}, 2, 1, 1},
	} {
		k := newKernel(test.text, test.addresses...)
		if k.Body.Size() != test.ops || len(k.Params) != test.params || len(k.Inputs) != test.inputs {
			t.Errorf("%s: %d operations, %d parameters, %d inputs, want %d, %d, %d", test.text, k.Body.Size(), len(k.Params), len(k.Inputs), test.ops, test.params, test.inputs)
		}
	}
	// A random number of scalars differs from element to element.
	if k := newKernel("func f(u, v uint32) (y float32) { y = rand(u, v); return }", scalar, scalar); !k.Indexed || len(k.Params) != 2 {
		t.Errorf("rand of scalars: indexed %v, %d parameters", k.Indexed, len(k.Params))
	}
}

// TestManyUniform: if more values than MaxParams depend on scalars alone, the parameters are
// the scalars.
func TestManyUniform(t *testing.T) {
	for _, values := range []int{kernel.MaxParams, kernel.MaxParams + 1} {
		text := "x"
		for i := range values {
			text = fmt.Sprintf("where(x < %d, %s, s*%d + t)", -i, text, i+2)
		}
		p := expr.MustParse("f(x, s, t) = " + text).IR()
		k := kernel.New(p, []kernel.Address{element, scalar, scalar})
		want := values
		if values > kernel.MaxParams {
			want = 2
		}
		if len(k.Params) != want || k.Scratch() > 0 != (values == want) {
			t.Errorf("with %d values of scalars: %d parameters, want %d; scratch %d", values, len(k.Params), want, k.Scratch())
		}
		r := rand.New(rand.NewPCG(1, 2))
		for range 200 {
			if err := same(p, k, 0, randprog.Args(r, p)); err != nil {
				t.Fatal(err)
			}
		}
	}
	// So many scalars are allowed, and none of them is computed with.
	names := make([]string, kernel.MaxParams)
	addresses := []kernel.Address{element}
	for i := range names {
		names[i] = fmt.Sprintf("s%d", i)
		addresses = append(addresses, scalar)
	}
	k := newKernel(fmt.Sprintf("f(x, %s) = x*%s", strings.Join(names, ", "), strings.Join(names, "+x*")), addresses...)
	if len(k.Params) != len(names) || k.Scratch() != 0 {
		t.Errorf("%d parameters of %d scalars, scratch %d", len(k.Params), len(names), k.Scratch())
	}
	args := make([]uint32, len(addresses))
	for i := range args {
		args[i] = uint32(100 + i)
	}
	for i, v := range eval(k, args) {
		if want := uint32(101 + i); v != want {
			t.Errorf("parameter %d is %d, want %d", i, v, want)
		}
	}
}

// TestUnused: an argument that the program does not need is no input.
func TestUnused(t *testing.T) {
	k := newKernel("f(a, x, b, y, s, r) = x - s*r", element, element, col, row, scalar, row)
	if !slices.Equal(k.Inputs, []kernel.Address{element, row}) || k.Arg(0) != 1 || k.Arg(1) != 5 || len(k.Params) != 1 {
		t.Errorf("inputs %v, arguments %d and %d, %d parameters", k.Inputs, k.Arg(0), k.Arg(1), len(k.Params))
	}
	if got := eval(k, []uint32{1, 2, 3, 4, 5, 6}); got[0] != 5 {
		t.Errorf("the parameter is %d, want that of argument 4", got[0])
	}
}

// TestKey: kernels have the same key if they compute the same, whatever the names, and another
// one otherwise.
func TestKey(t *testing.T) {
	base := newKernel("leaky(x, s) = where(x >= 0, x, s*x)", element, scalar).Key
	for _, same := range []*kernel.Kernel{
		newKernel("f(y, slope) = where(y >= 0, y, slope*y)", element, scalar),
		newKernel("f(s, unused, x) = where(x >= 0, x, s*x)", scalar, row, element),
		newKernel("f(x, s, t) = where(x >= 0, x, (s-t)*x)", element, scalar, scalar), // the parameter is s-t
		newKernel("func f(a, b float32) (r float32) { r = where(0 <= a, a, b*a); return }", element, scalar),
	} {
		if same.Key != base {
			t.Errorf("%v has another key", expr.FromIR(same.Body))
		}
	}
	keys := map[string]string{base: "leaky"}
	for i, other := range []*kernel.Kernel{
		newKernel("f(x, s) = where(x >= 0, x, s*x)", element, element),
		newKernel("f(x, s) = where(x >= 0, x, s*x)", element, row),
		newKernel("f(x, s) = where(x >= 0, x, s*x)", element, col),
		newKernel("f(x, s) = where(x >= 0, x, s*x)", scalar, element),
		newKernel("f(x, s) = where(x >= 0, x, s*x)", row, row),
		newKernel("f(x, s) = where(x >= 0, x, 0.5*x)", element, scalar),
		newKernel("f(x, s) = where(x >= 0, x, 0.25*x)", element, scalar),
		newKernel("f(x, s) = where(x > 0, x, s*x)", element, scalar),
		newKernel("f(x, s) = where(x >= 0, s*x, x)", element, scalar),
		newKernel("f(x, y, s) = where(x >= 0, y, s*y)", element, element, scalar),
		newKernel("f(x, y, s) = where(y >= 0, y, s*y) - x", element, element, scalar),
		newKernel("func f(x, s float32) (y, z float32) { y = where(x >= 0, x, s*x); z = x; return }", element, scalar),
		newKernel("func f(x, s float32) (z, y float32) { y = where(x >= 0, x, s*x); z = x; return }", element, scalar),
		newKernel("func f(x, s float32) (y bool) { y = x >= s; return }", element, scalar),
		newKernel("func f(c bool) (y bool) { y = c; return }", bit),
		newKernel("func f(c bool) (y bool) { y = c; return }", scalar),
		newKernel("f(x) = x", element),
		newKernel("f(x) = x", scalar),
		newKernel("f(x, y) = x - y", element, element),
		newKernel("f(x, y) = y - x", element, row),
		newKernel("f(x, y) = x - y", element, row),
	} {
		name := fmt.Sprintf("%d: %v at %v", i, expr.FromIR(other.Body), other.Inputs)
		if before, ok := keys[other.Key]; ok {
			t.Errorf("%s has the key of %s", name, before)
		}
		keys[other.Key] = name
	}
}

// TestBits counts what a call moves for each element.
func TestBits(t *testing.T) {
	for _, test := range []struct {
		k    *kernel.Kernel
		want int
	}{
		{newKernel("f(x, s) = s*x", element, scalar), 64},
		{newKernel("f(x, s) = s*x", element, row), 64},
		{newKernel("f(x, s) = s*x", col, element), 64},
		{newKernel("f(x, s) = s*x", element, element), 96},
		{newKernel("func f(x, s float32, c bool) (y float32, d bool) { y = where(c, x, s); d = x < s; return }", element, scalar, bit), 66},
	} {
		if got := test.k.Bits(); got != test.want {
			t.Errorf("%v moves %d bits, want %d", expr.FromIR(test.k.Body), got, test.want)
		}
	}
}

// TestFunction finds functions in the body alone: what depends on scalars is evaluated.
func TestFunction(t *testing.T) {
	if op, ok := newKernel("f(x) = x + exp(x)", element).Function(); !ok || op != ir.Exp {
		t.Errorf("exp of x: %v, %v", op, ok)
	}
	for _, k := range []*kernel.Kernel{newKernel("f(x, s) = x + exp(s)", element, scalar), newKernel("f(x) = sqrt(x)", row)} {
		if op, ok := k.Function(); ok {
			t.Errorf("%v has the function %v", expr.FromIR(k.Body), op.Info().Name)
		}
	}
}

// TestEvalAllocatesNothing: Prepared calls compute parameters in their own memory.
func TestEvalAllocatesNothing(t *testing.T) {
	k := newKernel("f(x, s, t) = x * (s*s + t)", element, scalar, scalar)
	params, args, scratch := make([]uint32, len(k.Params)), []uint32{0, 1 << 30, 1<<31 + 1<<30}, make([]uint64, k.Scratch())
	if n := testing.AllocsPerRun(100, func() { k.Eval(params, args, scratch) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
