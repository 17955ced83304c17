package compute

import (
	"fmt"
	"math"
)

// DefaultNegativeSlope is the slope of LeakyReLU below zero where a user names
// none, as in the origin of this library, the G-Mind framework.
const DefaultNegativeSlope = 0.01

// A Kind says which function an Activation is. The zero Kind is none: an
// Activation that was never set is refused with ErrActivation, not computed as
// something.
type Kind uint8

// The kinds of activations there are.
const (
	KindLeakyReLU Kind = iota + 1
)

// String returns the name of the function, as "LeakyReLU".
func (k Kind) String() string {
	if k == KindLeakyReLU {
		return "LeakyReLU"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// An Activation is an elementwise function of one float32, with its
// parameters. It is a small comparable value; passing it allocates nothing.
type Activation struct {
	Kind          Kind
	NegativeSlope float32 // the factor where x >= 0 does not hold
}

// LeakyReLU returns the function
//
//	f(x)  = x if x >= 0 else negativeSlope*x
//	f'(x) = 1 if x >= 0 else negativeSlope
//
// of Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network
// Acoustic Models" (2013), with the derivative 1 at zero as G-Mind has it. Any
// finite slope is valid: 0 gives ReLU, and it may be negative or above 1. Every
// backend refuses a slope that is NaN or infinite with ErrSlope.
func LeakyReLU(negativeSlope float32) Activation {
	return Activation{Kind: KindLeakyReLU, NegativeSlope: negativeSlope}
}

// String returns the function with its parameters, as
// "LeakyReLU(negative_slope=0.01)".
func (f Activation) String() string {
	return fmt.Sprintf("%v(negative_slope=%v)", f.Kind, f.NegativeSlope)
}

// Value returns f(x). It is the reference: every backend returns these bits,
// except that any NaN stands for any other. An Activation of unknown Kind gives
// NaN.
func (f Activation) Value(x float32) float32 {
	if f.Kind != KindLeakyReLU {
		return float32(math.NaN())
	}
	if x >= 0 {
		return x
	}
	return f.NegativeSlope * x
}

// Derivative returns f'(x). It is the reference in the same way as Value.
// The gradient that Backend.Backward computes is dy*f.Derivative(x).
func (f Activation) Derivative(x float32) float32 {
	if f.Kind != KindLeakyReLU {
		return float32(math.NaN())
	}
	if x >= 0 {
		return 1
	}
	return f.NegativeSlope
}

// Validate returns nil if a backend can compute f, an error that wraps
// ErrSlope if its slope is NaN or infinite, and one that wraps ErrActivation if
// its Kind is not one of those above.
func (f Activation) Validate() error {
	if f.Kind != KindLeakyReLU {
		return fmt.Errorf("%v is no activation; make one with LeakyReLU: %w", f.Kind, ErrActivation)
	}
	if f.NegativeSlope-f.NegativeSlope != 0 { // NaN or infinite
		return fmt.Errorf("the negative slope is %v; give a finite one: %w", f.NegativeSlope, ErrSlope)
	}
	return nil
}
