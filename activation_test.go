package compute_test

import (
	"errors"
	"math"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/values"
)

// TestActivation: the reference has the documented results. Package exhaustive tests all inputs.
func TestActivation(t *testing.T) {
	nan, inf, negative := float32(math.NaN()), float32(math.Inf(1)), float32(math.Copysign(0, -1))
	for _, test := range []struct{ slope, x, value, derivative float32 }{
		{0.5, 3, 3, 1}, {0.5, -3, -1.5, 0.5}, {0.5, 0, 0, 1}, {0.5, negative, negative, 1},
		{0.5, inf, inf, 1}, {0.5, -inf, -inf, 0.5}, {0.5, nan, nan, 0.5},
		{0, -3, negative, 0}, {0, -inf, nan, 0}, {-1, -3, 3, -1}, {2, -3, -6, 2}, {0.01, -0.1, -0.001, 0.01},
	} {
		f := compute.LeakyReLU(test.slope)
		if v, d := f.Value(test.x), f.Derivative(test.x); !values.Same(v, test.value) || !values.Same(d, test.derivative) {
			t.Errorf("%v at %v: got %v and %v, want %v and %v", f, test.x, v, d, test.value, test.derivative)
		}
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
		{compute.Activation{}, compute.ErrActivation, "Kind(0)(negative_slope=0)"},
		{compute.Activation{Kind: 255, NegativeSlope: 1}, compute.ErrActivation, "Kind(255)(negative_slope=1)"},
	} {
		if err := test.f.Validate(); !errors.Is(err, test.want) {
			t.Errorf("Validate of %v: got %v, want %v", test.f, err, test.want)
		}
		if text := test.f.String(); text != test.text {
			t.Errorf("String is %q, want %q", text, test.text)
		}
		if v, d := test.f.Value(1), test.f.Derivative(1); (v == 1 && d == 1) != (test.f.Kind == compute.KindLeakyReLU) {
			t.Errorf("%v at 1: %v, derivative %v", test.f, v, d)
		}
	}
}
