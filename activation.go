package compute

import (
	"fmt"
	"math"
	"strings"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/function"
)

//go:generate go run ./internal/function/generate -kinds activation_kinds.go -reference activation_reference.go

// DefaultNegativeSlope is the usual slope of LeakyReLU for negative x, as in G-Mind, the
// framework that this library began in.
const DefaultNegativeSlope = 0.01

// MaxParams is the number of parameters that an Activation has at most.
const MaxParams = function.MaxParams

// A Kind is the function of an Activation, without its parameters. The zero Kind is not a
// function: backends return ErrActivation for an Activation that was not set. The Kinds from 256
// on are those of programs. They depend on the order in which ActivationOf first has them, so
// they mean nothing to another process.
type Kind uint16

// String returns the name of the function, such as "LeakyReLU".
func (k Kind) String() string {
	if f := function.Of(int(k)); f != nil {
		return f.Name
	}
	return fmt.Sprintf("Kind(%d)", uint16(k))
}

// An Activation is an elementwise function of one float32, with its parameters. It is
// comparable. The constructors document the functions of the library; where(c, a, b) is a if c is
// true, and otherwise b, as in package expr. ActivationOf makes one of any program. PReLU has no
// constructor, since its slopes are a buffer: it is a program that Run has with a Row of them.
type Activation struct {
	Kind   Kind
	Params [MaxParams]float32 // in the order of the constructor, then zeros
}

// MaxPrograms is the number of different programs that ActivationOf makes Activations of in one
// process.
const MaxPrograms = function.MaxAdded

// ActivationOf returns the function that p is of its first argument. Its other arguments are the
// parameters, at most MaxParams, to which it gives the values of params in the same order. All
// arguments and the one result have the type float32. The derivative is p.Partial of the first
// argument.
//
// Two Activations are == if their programs are Equal and so are the derivatives, and their
// parameters are ==. For that, a process keeps each different program, but not those that differ
// only in the values of their parameters, and refuses others after MaxPrograms. What an
// expression depends on and changes often, such as a number that is learned, is to be a parameter.
//
// Errors: ErrArgument, if p has not as many parameters as are given; ErrActivation, if p is not
// such a program, uses rand, or has derivatives that exceed a limit of package expr, if a
// parameter is NaN or infinite, or after MaxPrograms.
func ActivationOf(p *expr.Program, params ...float32) (Activation, error) {
	kind, err := function.Add(p)
	if err != nil {
		return Activation{}, fmt.Errorf("compute: activation of a program: %w: %w", err, ErrActivation)
	}
	f := Activation{Kind: Kind(kind)}
	if names := function.Of(kind).Params(); len(names) != len(params) {
		return Activation{}, fmt.Errorf("compute: activation of a program: %s has %d parameters %v, and %d were given; give as many: %w", p.Name(), len(names), names, len(params), ErrArgument)
	}
	copy(f.Params[:], params)
	if err := f.Validate(); err != nil {
		return Activation{}, fmt.Errorf("compute: activation of a program: %w", err)
	}
	return f, nil
}

// NegativeSlope returns the slope of a LeakyReLU. It returns 0 for any other function.
func (f Activation) NegativeSlope() float32 {
	if f.Kind != KindLeakyReLU {
		return 0
	}
	return f.Params[0]
}

// String returns the function with its parameters, such as "LeakyReLU(negative_slope=0.01)".
func (f Activation) String() string {
	fn := function.Of(int(f.Kind))
	if fn == nil || len(fn.Params()) == 0 {
		return f.Kind.String()
	}
	params := make([]string, len(fn.Params()))
	for i, name := range fn.Params() {
		params[i] = fmt.Sprintf("%s=%v", name, f.Params[i])
	}
	return fmt.Sprintf("%v(%s)", f.Kind, strings.Join(params, ", "))
}

// Program returns the function as a program, whose arguments are x and the parameters. It is
// nil if the Kind is unknown.
func (f Activation) Program() *expr.Program {
	if fn := function.Of(int(f.Kind)); fn != nil {
		return fn.Program(function.Forward)
	}
	return nil
}

// Value returns f(x). It is the reference: every backend returns the same bits, except that
// NaNs may differ in theirs. If the Kind is unknown, it returns NaN.
func (f Activation) Value(x float32) float32 {
	y, ok := f.value(x)
	if !ok {
		y, _ = f.eval(function.Forward, x, 0)
	}
	return y
}

// Derivative returns f'(x). It is a reference in the same sense as Value.
func (f Activation) Derivative(x float32) float32 {
	d, ok := f.derivative(x)
	if !ok {
		d, _ = f.eval(function.Derivative, x, 0)
	}
	return d
}

// Backward returns dy*f'(x), the gradient that Backend.Backward computes. It is a reference in
// the same sense as Value. Where f'(x) is a 0 or a 1 of its formula, there is no product: the
// gradient is +0 or dy, also if dy is infinite or NaN.
func (f Activation) Backward(dy, x float32) float32 {
	dx, ok := f.backward(dy, x)
	if !ok {
		dx, _ = f.eval(function.Backward, dy, x)
	}
	return dx
}

// HasBit reports whether f'(x) has two values at most, so that a bit of x is all that its gradient
// needs: of a function that is linear in parts, such as LeakyReLU, HardSigmoid and SoftShrink.
// Backend.ForwardMask and Backend.BackwardMask compute only these.
func (f Activation) HasBit() bool {
	fn := function.Of(int(f.Kind))
	return fn != nil && fn.Program(function.ForwardMask) != nil
}

// Bit returns the bit that Backend.ForwardMask keeps of x: which of the two values f'(x) has.
// Of LeakyReLU it is whether x >= 0. It returns false unless HasBit.
func (f Activation) Bit(x float32) bool {
	bit, ok := f.bit(x)
	if !ok {
		_, bit = f.eval(function.ForwardMask, x, 0)
	}
	return bit
}

// eval returns the first result of a form, and whether the second is a bit that is set.
func (f Activation) eval(fm function.Form, a, b float32) (float32, bool) {
	fn := function.Of(int(f.Kind))
	if fn == nil || fn.Program(fm) == nil {
		return float32(math.NaN()), false
	}
	first, second := fn.Eval(fm, &f.Params, uint64(math.Float32bits(a)), uint64(math.Float32bits(b)))
	return math.Float32frombits(uint32(first)), second == 1
}

// Validate returns nil if backends can compute f. Errors: ErrSlope, if the slope of a LeakyReLU
// is NaN or infinite; ErrActivation, if the Kind is unknown, or if it cannot have the
// parameters.
func (f Activation) Validate() error {
	fn := function.Of(int(f.Kind))
	if fn == nil {
		return fmt.Errorf("%v is not an activation; make one with a function such as LeakyReLU: %w", f.Kind, ErrActivation)
	}
	problem := fn.Invalid(&f.Params)
	switch {
	case problem == "":
		return nil
	case f.Kind == KindLeakyReLU:
		return fmt.Errorf("%s: %w", problem, ErrSlope)
	}
	return fmt.Errorf("%v: %s: %w", f, problem, ErrActivation)
}
