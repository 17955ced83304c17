package compute_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// activationOf is ActivationOf of a text.
func activationOf(tb testing.TB, text string, params ...float32) compute.Activation {
	tb.Helper()
	f, err := compute.ActivationOf(expr.MustParse(text), params...)
	if err != nil {
		tb.Fatal(err)
	}
	return f
}

// TestActivationOfReference: the program of a function of the library has its values.
func TestActivationOfReference(t *testing.T) {
	for _, want := range []compute.Activation{
		compute.LeakyReLU(-0.5), compute.ReLU6(), compute.Clip(-1, 2), compute.CELU(0.3), compute.Mish(), compute.Swish(1.5),
	} {
		n := len(want.Program().Args()) - 1
		f, err := compute.ActivationOf(want.Program(), want.Params[:n]...)
		if err != nil {
			t.Fatal(err)
		}
		if f == want || f.HasBit() != want.HasBit() || f.Validate() != nil || !f.Program().Equal(want.Program()) {
			t.Errorf("the activation of the program of %v is %v", want, f)
		}
		for _, x := range values.Special() {
			if !values.Same(f.Value(x), want.Value(x)) || !values.Same(f.Derivative(x), want.Derivative(x)) || f.HasBit() && f.Bit(x) != want.Bit(x) {
				t.Errorf("%v at %v: %v and %v, want %v and %v", f, x, f.Value(x), f.Derivative(x), want.Value(x), want.Derivative(x))
			}
			for _, dy := range values.Special() {
				if !values.Same(f.Backward(dy, x), want.Backward(dy, x)) {
					t.Errorf("the gradient of %v at %v for %v is %v, want %v", f, x, dy, f.Backward(dy, x), want.Backward(dy, x))
				}
			}
		}
	}
}

// TestActivationOfEqual: equal programs, with equal derivatives and parameters, are one value.
func TestActivationOfEqual(t *testing.T) {
	const text = "bent(x, s) = x + s*(sqrt(x*x + 1) - 1)"
	f := activationOf(t, text, 0.5)
	if g := activationOf(t, strings.ReplaceAll(text, " ", ""), 0.5); f != g {
		t.Errorf("%v and %v of one program differ", f, g)
	}
	if g := activationOf(t, text, 0.25); f == g || f.Kind != g.Kind {
		t.Errorf("%v and %v: kinds %d and %d", f, g, f.Kind, g.Kind)
	}
	if g := activationOf(t, "bent(x, s) = x + s*(sqrt(x*x + 2) - 1)", 0.5); f.Kind == g.Kind {
		t.Errorf("%v and %v of different programs have one kind", f, g)
	}
	straight := expr.MustParse(text).WithPartial("x", expr.MustParse("slope(x, s) = 1"))
	g, err := compute.ActivationOf(straight, 0.5)
	if err != nil || f == g || g.Derivative(3) != 1 || f.Derivative(3) == 1 {
		t.Errorf("with another derivative: %v, %v; derivatives %v and %v", g, err, f.Derivative(3), g.Derivative(3))
	}
	if f.String() != "bent(s=0.5)" || f.Kind.String() != "bent" || f.NegativeSlope() != 0 {
		t.Errorf("%v of kind %v with slope %v", f, f.Kind, f.NegativeSlope())
	}
	var list [8]compute.Activation
	var wait sync.WaitGroup
	for i := range list {
		wait.Go(func() {
			p := expr.MustParse("concurrent(x) = x*x*x - x")
			list[i], _ = compute.ActivationOf(p)
		})
	}
	wait.Wait()
	for _, f := range list {
		if f != list[0] || f.Value(3) != 24 {
			t.Errorf("%v at 3 is %v; concurrent calls return %v too", f, f.Value(3), list[0])
		}
	}
}

// TestActivationOfNames: results get other names than arguments have.
func TestActivationOfNames(t *testing.T) {
	f := activationOf(t, "f(d, y, dy, m) = (d + y) * (dy + m)", 1, 2, 3)
	if v, d := f.Value(2), f.Derivative(2); v != 15 || d != 5 {
		t.Errorf("%v at 2 is %v, with derivative %v", f, v, d)
	}
	b := testenv.Open(t, cpu.Open)
	v := []float32{2, -1}
	x, err := b.Upload(v)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Release()
	d, err := b.Alloc(2)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Release()
	if n := testing.AllocsPerRun(20, func() { err = errors.Join(err, b.Derivative(f, d, x)) }); n > 1 { // another test may allocate
		t.Errorf("a call allocates %v times", n)
	}
	if err := errors.Join(err, b.ForwardDerivative(f, x, d, x), d.Read(v)); err != nil || v[0] != 5 || v[1] != 5 {
		t.Errorf("the derivatives are %v, %v", v, err)
	}
}

// TestActivationOfLarge: the reference has room for the longest programs.
func TestActivationOfLarge(t *testing.T) {
	f := activationOf(t, "sum(x) = "+strings.Repeat("tanh(x)*(", 20)+"x"+strings.Repeat(")", 20))
	if v := f.Value(100); v != 100 {
		t.Errorf("%v at 100 is %v", f, v)
	}
}

func TestActivationOfErrors(t *testing.T) {
	nan := float32(math.NaN())
	swish := "swish(x, beta) = x * sigmoid(beta*x)"
	for _, test := range []struct {
		text   string
		params []float32
		want   error
		words  string
	}{
		{swish, nil, compute.ErrArgument, "swish has 1 parameters [beta], and 0 were given; give as many"},
		{swish, []float32{1, 2}, compute.ErrArgument, "and 2 were given"},
		{"f(x) = exp(x)", make([]float32, 5), compute.ErrArgument, "f has 0 parameters [], and 5 were given"},
		{swish, []float32{nan}, compute.ErrActivation, "the beta is NaN; give a finite one"},
		{"f(x, a, b, c, d, e) = x*(a+b+c+d+e)", make([]float32, 5), compute.ErrActivation, "f has 5 parameters after x, and an activation has 4 at most; use Backend.Run"},
		{"func f() (y float32) { return 1 }", nil, compute.ErrActivation, "f has no argument"},
		{"func f(x float32, c bool) (y float32) { return where(c, x, 1) }", []float32{1}, compute.ErrActivation, "f has the argument c of type bool; those of an activation are float32"},
		{"func f(n uint32) (y float32) { return float32(n) }", nil, compute.ErrActivation, "the argument n of type uint32"},
		{"func f(x float32) (y, z float32) { return x, x }", nil, compute.ErrActivation, "f has the results [{y float32} {z float32}]; an activation has one"},
		{"func f(x float32) (y bool) { return x > 0 }", nil, compute.ErrActivation, "an activation has one, of type float32"},
		{"dropout(x) = where(rand(1, 2) < 0.5, x, 0)", nil, compute.ErrActivation, "dropout depends on the index of the element"},
		{"f(x) = " + strings.Repeat("tanh(x)*(1+", 150) + "x" + strings.Repeat(")", 150), nil, compute.ErrActivation, "split it"},
	} {
		f, err := compute.ActivationOf(expr.MustParse(test.text), test.params...)
		if f != (compute.Activation{}) || !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.words) {
			t.Errorf("%.60s with %v: %v, %v; want %v with %q", test.text, test.params, f, err, test.want, test.words)
		}
	}
	for _, p := range []*expr.Program{nil, {}, expr.MustParse(swish).Partial("z")} {
		if f, err := compute.ActivationOf(p); f != (compute.Activation{}) || !errors.Is(err, compute.ErrActivation) || p.Err() == nil || !errors.Is(err, p.Err()) {
			t.Errorf("of a Program that is an error, %v: %v, %v", p.Err(), f, err)
		}
	}
}

// TestActivationOfLayer: a Layer keeps a bit of a program that is piecewise linear, and the input
// of another.
func TestActivationOfLayer(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	for _, f := range []compute.Activation{
		activationOf(t, "dent(x, s) = where(x > 1, x, s*x)", -0.5), activationOf(t, "bell(x, w) = exp(-w*x*x)", 0.5),
	} {
		x, dy := []float32{-2, 0.5, 1, 3}, []float32{1, -2, 3, -4}
		l := compute.NewLayer(b, f)
		buffer, err1 := b.Upload(x)
		gradient, err2 := b.Upload(dy)
		if err := errors.Join(err1, err2); err != nil {
			t.Fatal(err)
		}
		y, dx, stream, onBuffers := make([]float32, 4), make([]float32, 4), make([]float32, 4), make([]float32, 4)
		if err := errors.Join(
			l.ForwardInto(y, x), l.BackwardInto(dx, dy),
			l.ForwardBuffer(buffer, buffer), l.BackwardBuffer(gradient, gradient), gradient.Read(onBuffers),
			b.Stream(context.Background(), compute.OpDerivative, f, stream, x),
			l.Release(), buffer.Release(), gradient.Release(),
		); err != nil {
			t.Fatal(err)
		}
		for i, x := range x {
			if y[i] != f.Value(x) || dx[i] != f.Backward(dy[i], x) || onBuffers[i] != dx[i] || stream[i] != f.Derivative(x) {
				t.Errorf("%v at %v: %v, gradient %v, derivative %v", f, x, y[i], dx[i], stream[i])
			}
		}
	}
}

func ExampleActivationOf() {
	b, err := cpu.Open()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	swish := expr.MustParse("swish(x, beta) = x * sigmoid(beta*x)")
	f, err := compute.ActivationOf(swish, 2)
	if err != nil {
		fmt.Println(err)
		return
	}
	x, err := b.Upload([]float32{-2, -0.5, 0, 3})
	if err != nil {
		fmt.Println(err)
		return
	}
	y := make([]float32, 4)
	if err := errors.Join(b.Forward(f, x, x), x.Read(y)); err != nil {
		fmt.Println(err)
	}
	fmt.Println(f, y, f.Derivative(0))
	// Output: swish(beta=2) [-0.03597242 -0.13447072 0 2.992582] 0.5
}
