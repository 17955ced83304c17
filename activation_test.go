package compute_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/values"
)

// TestActivation: the reference has the documented results. Package exhaustive tests all inputs.
func TestActivation(t *testing.T) {
	nan, inf, negative := float32(math.NaN()), float32(math.Inf(1)), float32(math.Copysign(0, -1))
	leaky, relu, relu6, clip := compute.LeakyReLU, compute.ReLU(), compute.ReLU6(), compute.Clip(-1, 2)
	for _, test := range []struct {
		f                               compute.Activation
		x, value, derivative, dy, ofInf float32 // ofInf is the gradient for dy = +Inf
	}{
		{leaky(0.5), 3, 3, 1, 7, inf}, {leaky(0.5), -3, -1.5, 0.5, 3.5, inf}, {leaky(0.5), 0, 0, 1, 7, inf}, {leaky(0.5), negative, negative, 1, 7, inf},
		{leaky(0.5), inf, inf, 1, 7, inf}, {leaky(0.5), -inf, -inf, 0.5, 3.5, inf}, {leaky(0.5), nan, nan, 0.5, 3.5, inf},
		{leaky(0), -3, negative, 0, 0, nan}, {leaky(0), -inf, nan, 0, 0, nan}, {leaky(-1), -3, 3, -1, -7, -inf}, {leaky(2), -3, -6, 2, 14, inf},
		{leaky(0.01), -0.1, -0.001, 0.01, 0.07, inf},
		{relu, 3, 3, 1, 7, inf}, {relu, -3, 0, 0, 0, 0}, {relu, 0, 0, 0, 0, 0}, {relu, negative, 0, 0, 0, 0}, {relu, inf, inf, 1, 7, inf},
		{relu, -inf, 0, 0, 0, 0}, {relu, nan, 0, 0, 0, 0},
		{relu6, 3, 3, 1, 7, inf}, {relu6, -3, 0, 0, 0, 0}, {relu6, 0, 0, 0, 0, 0}, {relu6, negative, negative, 0, 0, 0}, {relu6, 6, 6, 0, 0, 0},
		{relu6, 7, 6, 0, 0, 0}, {relu6, inf, 6, 0, 0, 0}, {relu6, -inf, 0, 0, 0, 0}, {relu6, nan, nan, 0, 0, 0},
		{clip, 1, 1, 1, 7, inf}, {clip, -3, -1, 0, 0, 0}, {clip, -1, -1, 0, 0, 0}, {clip, negative, negative, 1, 7, inf}, {clip, 2, 2, 0, 0, 0},
		{clip, inf, 2, 0, 0, 0}, {clip, -inf, -1, 0, 0, 0}, {clip, nan, nan, 0, 0, 0},
	} {
		v, d, dx, ofInf := test.f.Value(test.x), test.f.Derivative(test.x), test.f.Backward(7, test.x), test.f.Backward(inf, test.x)
		if !values.Same(v, test.value) || !values.Same(d, test.derivative) || !values.Same(dx, test.dy) || !values.Same(ofInf, test.ofInf) {
			t.Errorf("%v at %v: got %v, %v, %v and %v, want %v, %v, %v and %v", test.f, test.x, v, d, dx, ofInf, test.value, test.derivative, test.dy, test.ofInf)
		}
	}
}

// TestProgram checks that the program of an activation has its parameters as arguments.
func TestProgram(t *testing.T) {
	p := compute.Clip(-1, 2).Program()
	y, err := p.Eval(float32(3), float32(-1), float32(2))
	if args := fmt.Sprint(p.Args()); err != nil || y[0] != float32(2) || args != "[{x float32} {low float32} {high float32}]" {
		t.Errorf("%v of %s is %v, %v", p, args, y, err)
	}
	if p := (compute.Activation{}).Program(); p != nil {
		t.Errorf("no activation has the program %v", p)
	}
	if slope := compute.LeakyReLU(0.25).NegativeSlope(); slope != 0.25 {
		t.Errorf("the slope is %v", slope)
	}
	if slope := compute.Clip(-1, 2).NegativeSlope(); slope != 0 {
		t.Errorf("Clip has the slope %v", slope)
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		f    compute.Activation
		want error
		text string
	}{
		{compute.LeakyReLU(compute.DefaultNegativeSlope), nil, "LeakyReLU(negative_slope=0.01)"},
		{compute.LeakyReLU(-math.MaxFloat32), nil, "LeakyReLU(negative_slope=-3.4028235e+38)"},
		{compute.LeakyReLU(float32(math.NaN())), compute.ErrSlope, "LeakyReLU(negative_slope=NaN)"},
		{compute.LeakyReLU(float32(math.Inf(-1))), compute.ErrSlope, "LeakyReLU(negative_slope=-Inf)"},
		{compute.ReLU(), nil, "ReLU"},
		{compute.ReLU6(), nil, "ReLU6"},
		{compute.Clip(-1, 2.5), nil, "Clip(low=-1, high=2.5)"},
		{compute.Clip(2, 2), nil, "Clip(low=2, high=2)"},
		{compute.Clip(2, 1), compute.ErrActivation, "Clip(low=2, high=1)"},
		{compute.Clip(0, float32(math.Inf(1))), compute.ErrActivation, "Clip(low=0, high=+Inf)"},
		{compute.Clip(float32(math.NaN()), 1), compute.ErrActivation, "Clip(low=NaN, high=1)"},
		{compute.ELU(-2), nil, "ELU(alpha=-2)"},
		{compute.CELU(0), compute.ErrActivation, "CELU(alpha=0)"},
		{compute.SoftplusBeta(-1), compute.ErrActivation, "SoftplusBeta(beta=-1)"},
		{compute.SoftShrink(-0.5), compute.ErrActivation, "SoftShrink(lambda=-0.5)"},
		{compute.Threshold(0.5, -1), nil, "Threshold(threshold=0.5, value=-1)"},
		{compute.SiLU(), nil, "SiLU"},
		{compute.Activation{}, compute.ErrActivation, "Kind(0)"},
		{compute.Activation{Kind: 255, Params: compute.LeakyReLU(1).Params}, compute.ErrActivation, "Kind(255)"},
	} {
		err := test.f.Validate()
		if !errors.Is(err, test.want) {
			t.Errorf("Validate of %v: got %v, want %v", test.f, err, test.want)
		}
		if err != nil && errors.Is(err, compute.ErrActivation) && !strings.Contains(err.Error(), test.text) {
			t.Errorf("Validate of %v: the error is %v", test.f, err)
		}
		if text := test.f.String(); text != test.text {
			t.Errorf("String is %q, want %q", text, test.text)
		}
		known := test.f.Kind.String() == strings.Split(test.text, "(")[0]
		if v, d, dx := test.f.Value(1), test.f.Derivative(1), test.f.Backward(1, 1); !known && (v == v || d == d || dx == dx || test.f.Bit(1)) {
			t.Errorf("%v at 1: %v, derivative %v, gradient %v, bit %v", test.f, v, d, dx, test.f.Bit(1))
		}
	}
	for f, want := range map[compute.Activation]string{
		compute.CELU(0):                        "CELU(alpha=0): give parameters with abs(alpha) >= 0x1p-126: invalid function",
		compute.Clip(2, 1):                     "Clip(low=2, high=1): give parameters with low <= high: invalid function",
		compute.Clip(0, float32(math.Inf(-1))): "Clip(low=0, high=-Inf): the high is -Inf; give a finite one: invalid function",
		compute.LeakyReLU(float32(math.NaN())): "the negative slope is NaN; give a finite one: slope not finite",
	} {
		if err := f.Validate(); err == nil || err.Error() != want {
			t.Errorf("Validate of %v: %v, want %s", f, err, want)
		}
	}
}

// TestGenerated compares the reference in Go with the programs, for all functions.
func TestGenerated(t *testing.T) {
	bits := func(x float32) uint64 { return uint64(math.Float32bits(x)) }
	float := func(bits uint64) float32 { return math.Float32frombits(uint32(bits)) }
	for i, fn := range function.All() {
		if len(fn.Trials) == 0 {
			t.Errorf("%s has no Trials", fn.Name)
		}
		for _, params := range fn.Trials {
			f := compute.Activation{Kind: compute.Kind(i + 1), Params: params}
			if err := f.Validate(); err != nil {
				t.Error(err)
			}
			for _, x := range append(values.Special(), params[:]...) {
				y, _ := fn.Eval(function.Forward, &params, bits(x), 0)
				d, _ := fn.Eval(function.Derivative, &params, bits(x), 0)
				if !values.Same(f.Value(x), float(y)) || !values.Same(f.Derivative(x), float(d)) {
					t.Errorf("%v at %v: %v and %v, by the program %v and %v", f, x, f.Value(x), f.Derivative(x), float(y), float(d))
				}
				if fn.Program(function.ForwardMask) != nil {
					if _, bit := fn.Eval(function.ForwardMask, &params, bits(x), 0); f.Bit(x) != (bit == 1) {
						t.Errorf("the bit of %v at %v is %v, by the program %d", f, x, f.Bit(x), bit)
					}
				}
				for _, dy := range values.Special() {
					if dx, _ := fn.Eval(function.Backward, &params, bits(dy), bits(x)); !values.Same(f.Backward(dy, x), float(dx)) {
						t.Errorf("the gradient of %v at %v for %v is %v, by the program %v", f, x, dy, f.Backward(dy, x), float(dx))
					}
				}
			}
		}
	}
}
