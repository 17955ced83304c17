// Package form is the table of the operations that a backend has on buffers: their
// names, their operands, and what each result holds. Package driver takes the names and
// operands of its calls from it, and devices find their kernels by it. Whatever tests or
// times backends ranges over All.
package form

import (
	"errors"
	"math"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/function"
)

// A Form is one operation over an activation f. It computes element i of its results
// from element i of its inputs.
type Form int

// The forms, in an order in which every mask is written before it is read.
const (
	Forward           = Form(function.Forward)           // y = f(x)
	Derivative        = Form(function.Derivative)        // d = f'(x)
	Backward          = Form(function.Backward)          // dx = dy*f'(x)
	ForwardDerivative = Form(function.ForwardDerivative) // y = f(x) and d = f'(x)
	ForwardMask       = Form(function.ForwardMask)       // y = f(x), and m remembers what f'(x) depends on
	BackwardMask      = Form(function.BackwardMask)      // dx = dy*f'(x) for the x that m remembers
	Count             = function.Count

	// Copy sets dst = src. It has no activation, so that it is not one of All.
	Copy = Form(function.Copy)
)

// table describes the forms. All operands of a form have the same length. A result that is
// a buffer may be the same buffer as any input; no two results may be the same buffer.
var table = [...]struct {
	name     string     // of calls, in errors
	operands []Operand  // in the order of the call, results before inputs
	results  int        // how many of them are results
	bits     int        // that move for each element: 32 for a buffer, 1 for a mask
	op       compute.Op // of Backend.Stream, or none
}{
	Forward:           {"forward", []Operand{Y, X}, 1, 64, compute.OpForward},
	Derivative:        {"derivative", []Operand{D, X}, 1, 64, compute.OpDerivative},
	Backward:          {"backward", []Operand{DX, DY, X}, 1, 96, none},
	ForwardDerivative: {"forward derivative", []Operand{Y, D, X}, 2, 96, none},
	ForwardMask:       {"forward mask", []Operand{Y, M, X}, 2, 65, none},
	BackwardMask:      {"backward mask", []Operand{DX, DY, M}, 1, 65, none},
	Copy:              {"copy", []Operand{Dst, Src}, 1, 64, none},
}

const none = compute.Op(-1)

// An Operand is what a buffer or a mask holds. It means the same in every form.
type Operand int

// The operands. All are buffers of float32 but M, which is a mask.
const (
	X   Operand = iota // the input of f
	DY                 // the gradient of a loss with respect to f(x)
	Y                  // f(x)
	D                  // f'(x)
	DX                 // dy*f'(x), the gradient of the loss with respect to x
	M                  // a bit for each x: see Bit
	Dst                // what Copy writes
	Src                // what Copy reads
)

var operands = [...]struct {
	name string
	want func(f compute.Activation, dy, x float32) float32 // nil for an input and for M
}{
	X:   {"x", nil},
	DY:  {"dy", nil},
	Y:   {"y", func(f compute.Activation, _, x float32) float32 { return f.Value(x) }},
	D:   {"d", func(f compute.Activation, _, x float32) float32 { return f.Derivative(x) }},
	DX:  {"dx", func(f compute.Activation, dy, x float32) float32 { return f.Backward(dy, x) }},
	M:   {"m", nil},
	Dst: {"dst", nil},
	Src: {"src", nil},
}

// Bit returns the bit of M for x, 0 or 1.
func Bit(f compute.Activation, x float32) uint64 {
	if f.Bit(x) {
		return 1
	}
	return 0
}

// OfBit returns what Backward returns for an x with the bit, for a valid f.
func OfBit(f compute.Activation, dy float32, bit uint64) float32 {
	dx, _ := function.Of(int(f.Kind)).Eval(function.BackwardMask, &f.Params, uint64(math.Float32bits(dy)), bit)
	return math.Float32frombits(uint32(dx))
}

// Args are the arguments of a call, by operand. A form ignores those that it does not
// have.
type Args struct {
	X, DY, Y, D, DX compute.Buffer
	M               compute.Mask
}

// Over returns the arguments of a call in which one buffer is all operands, but for m.
func Over(x compute.Buffer, m compute.Mask) Args {
	return Args{X: x, DY: x, Y: x, D: x, DX: x, M: m}
}

// Buffer returns where a has the buffer of o, which is not M.
func (a *Args) Buffer(o Operand) *compute.Buffer {
	return [...]*compute.Buffer{X: &a.X, DY: &a.DY, Y: &a.Y, D: &a.D, DX: &a.DX}[o]
}

// Take sets the argument of o to that of from.
func (a *Args) Take(o Operand, from Args) {
	if o == M {
		a.M = from.M
		return
	}
	*a.Buffer(o) = *from.Buffer(o)
}

// All returns every form of an activation.
func All() []Form {
	all := make([]Form, Count)
	for i := range all {
		all[i] = Form(i)
	}
	return all
}

// AllOf returns every form that f has: without those with a mask if it has no bit.
func AllOf(f compute.Activation) []Form {
	return slices.DeleteFunc(All(), func(fm Form) bool { return fm.Masked() && !f.HasBit() })
}

// Plain returns the forms with one result and no mask, which benchmarks compare with a
// copy.
func Plain() []Form {
	return slices.DeleteFunc(All(), func(fm Form) bool { return fm.Masked() || len(fm.Results()) > 1 })
}

// Of returns the form that Backend.Stream computes for op, which is valid.
func Of(op compute.Op) Form {
	fm := Form(0)
	for table[fm].op != op {
		fm++
	}
	return fm
}

// Op returns the operation of Backend.Stream that computes fm. ok is false if there is
// none.
func (fm Form) Op() (op compute.Op, ok bool) { return table[fm].op, table[fm].op != none }

// String returns the name of fm in errors, such as "forward mask".
func (fm Form) String() string { return table[fm].name }

// Operands returns all operands of fm in the order of the call: results, then inputs.
func (fm Form) Operands() []Operand { return table[fm].operands }

// Results returns the operands that fm writes.
func (fm Form) Results() []Operand { return table[fm].operands[:table[fm].results] }

// Inputs returns the operands that fm reads.
func (fm Form) Inputs() []Operand { return table[fm].operands[table[fm].results:] }

// InOne reports whether one buffer may be all operands but a mask: whether there is one
// result that is a buffer.
func (fm Form) InOne() bool {
	buffers := 0
	for _, o := range fm.Results() {
		if o != M {
			buffers++
		}
	}
	return buffers == 1
}

// Masked reports whether one of the operands is a mask.
func (fm Form) Masked() bool { return slices.Contains(table[fm].operands, M) }

// Bits returns the number of bits that fm moves for each element.
func (fm Form) Bits() int { return table[fm].bits }

// Run calls the method of b that computes fm, one of All.
func (fm Form) Run(b compute.Backend, f compute.Activation, a Args) error {
	switch fm {
	case Forward:
		return b.Forward(f, a.Y, a.X)
	case Derivative:
		return b.Derivative(f, a.D, a.X)
	case Backward:
		return b.Backward(f, a.DX, a.DY, a.X)
	case ForwardDerivative:
		return b.ForwardDerivative(f, a.Y, a.D, a.X)
	case ForwardMask:
		return b.ForwardMask(f, a.Y, a.M, a.X)
	case BackwardMask:
		return b.BackwardMask(f, a.DX, a.DY, a.M)
	}
	return errors.ErrUnsupported
}

// A Place says which input a result replaces. In the zero Place all operands are apart.
type Place struct{ Result, Input Operand }

// Places returns the ways in which the operands of fm may share buffers, first the one
// in which all are apart.
func (fm Form) Places() []Place {
	places := []Place{{}}
	for _, result := range fm.Results() {
		for _, input := range fm.Inputs() {
			if result != M && input != M {
				places = append(places, Place{result, input})
			}
		}
	}
	return places
}

// In returns a with the buffer of the input also as that of the result.
func (p Place) In(a Args) Args {
	if p != (Place{}) {
		*a.Buffer(p.Result) = *a.Buffer(p.Input)
	}
	return a
}

// String returns a description such as "y over x".
func (p Place) String() string {
	if p == (Place{}) {
		return "apart"
	}
	return p.Result.String() + " over " + p.Input.String()
}

// Bytes returns the size of n elements of o; M has
// one word of 8 bytes for 64 elements.
func (o Operand) Bytes(n int) int {
	if o == M {
		return 8 * MaskWords(n)
	}
	return 4 * n
}

// String returns the name of o in calls and errors, such as "dx".
func (o Operand) String() string { return operands[o].name }

// Want returns the element of o, a result that is not M, for one element of its inputs.
// It is the reference of every backend. Only DX depends on dy.
func (o Operand) Want(f compute.Activation, dy, x float32) float32 {
	return operands[o].want(f, dy, x)
}

// MaskWords returns the number of uint64 that hold a mask of n bits.
func MaskWords(n int) int { return n/64 + (n%64+63)/64 } // n+63 may overflow

// Words returns M of f for x, as compute.Mask.Read does: the bits behind the last are 0.
func Words(f compute.Activation, x []float32) []uint64 {
	words := make([]uint64, MaskWords(len(x)))
	for i, v := range x {
		words[i/64] |= Bit(f, v) << (i % 64)
	}
	return words
}
