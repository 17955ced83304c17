package compute

import (
	"fmt"
	"math"
)

// DefaultNegativeSlope is the usual slope of LeakyReLU for negative x, as in G-Mind, the
// framework that this library began in.
const DefaultNegativeSlope = 0.01

// A Kind is the function of an Activation, without its parameters. The zero Kind is not a
// function: backends return ErrActivation for an Activation that was not set.
type Kind uint8

// The kinds of activations.
const (
	KindLeakyReLU Kind = iota + 1
)

// String returns the name of the function, such as "LeakyReLU".
func (k Kind) String() string {
	if k == KindLeakyReLU {
		return "LeakyReLU"
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// An Activation is an elementwise function of one float32, with its parameters. It is
// comparable.
type Activation struct {
	Kind          Kind
	NegativeSlope float32 // the factor unless x >= 0
}

// LeakyReLU returns the function
//
//	f(x)  = x if x >= 0 else negativeSlope*x
//	f'(x) = 1 if x >= 0 else negativeSlope
//
// of Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network Acoustic Models"
// (2013). The derivative at 0 is 1, as in G-Mind. Any finite slope is valid: 0 gives ReLU,
// and it may be negative or above 1. Backends return ErrSlope if it is NaN or infinite.
func LeakyReLU(negativeSlope float32) Activation {
	return Activation{Kind: KindLeakyReLU, NegativeSlope: negativeSlope}
}

// String returns the function with its parameters, such as "LeakyReLU(negative_slope=0.01)".
func (f Activation) String() string {
	return fmt.Sprintf("%v(negative_slope=%v)", f.Kind, f.NegativeSlope)
}

// Value returns f(x). It is the reference: every backend returns the same bits, except that
// NaNs may differ in theirs. If the Kind is unknown, it returns NaN.
func (f Activation) Value(x float32) float32 {
	if f.Kind != KindLeakyReLU {
		return float32(math.NaN())
	}
	if x >= 0 {
		return x
	}
	return f.NegativeSlope * x
}

// Derivative returns f'(x). It is a reference in the same sense as Value. Backend.Backward
// computes dy*f.Derivative(x). If the Kind is unknown, it returns NaN.
func (f Activation) Derivative(x float32) float32 {
	if f.Kind != KindLeakyReLU {
		return float32(math.NaN())
	}
	if x >= 0 {
		return 1
	}
	return f.NegativeSlope
}

// Validate returns nil if backends can compute f. Errors: ErrActivation, if the Kind is
// unknown; ErrSlope, if the slope is NaN or infinite.
func (f Activation) Validate() error {
	if f.Kind != KindLeakyReLU {
		return fmt.Errorf("%v is not an activation; make one with LeakyReLU: %w", f.Kind, ErrActivation)
	}
	if f.NegativeSlope-f.NegativeSlope != 0 { // NaN or infinite
		return fmt.Errorf("the negative slope is %v; give a finite one: %w", f.NegativeSlope, ErrSlope)
	}
	return nil
}
