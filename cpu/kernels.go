package cpu

import (
	"math"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// args are the arguments of a kernel. The assembly, and cpu/_asm, know this layout.
type args struct {
	ptr    [4]unsafe.Pointer // operands in the order of the form: results, then inputs
	n      int               // elements
	params [4]float32        // of the activation
}

// A kernel computes one form of one activation. It accesses nothing outside of the
// operands; a result may replace an input. A mask has one word for 64 elements: a kernel
// writes all bits of the last word, 0 behind the last element.
//
// Kernels are called through variables, so that their args escape: they must be on the heap
// already where a call may not allocate.
type kernel func(a *args)

// kernels are those of one activation, by form.
type kernels [form.Count + 1]kernel

// An instructionSet has the kernels for one set of instructions, by compute.Kind. Kind 0
// has the forms without an activation.
type instructionSet struct {
	name  string
	plain []kernels
	// nonTemporal kernels compute whole blocks of blockSize elements, into results that are
	// aligned to 64 bytes. Nil if the instruction set has no such stores.
	nonTemporal []kernels
}

const blockSize = 64

// instructionSets returns those that this processor has, best first. The last is generic.
func instructionSets() []instructionSet { return append(accelerated(), generic) }

// generic is plain Go, for every processor.
var generic = instructionSet{
	name: "generic",
	plain: []kernels{
		0: {
			form.Copy: copyElements,
		},
		compute.KindLeakyReLU: {
			form.Forward:           leakyReLUForward,
			form.Derivative:        leakyReLUDerivative,
			form.Backward:          leakyReLUBackward,
			form.ForwardDerivative: leakyReLUForwardDerivative,
			form.ForwardMask:       leakyReLUForwardMask,
			form.BackwardMask:      leakyReLUBackwardMask,
		},
	},
}

// floats returns operand i.
func (a *args) floats(i int) []float32 { return unsafe.Slice((*float32)(a.ptr[i]), a.n) }

// words returns operand i, a mask.
func (a *args) words(i int) []uint64 { return unsafe.Slice((*uint64)(a.ptr[i]), form.MaskWords(a.n)) }

// slope returns the bits of the slope.
func (a *args) slope() uint32 { return math.Float32bits(a.params[0]) }

func copyElements(a *args) { copy(a.floats(0), a.floats(1)) }

func leakyReLUForward(a *args) {
	y, x, slope := a.floats(0), a.floats(1), a.slope()
	y = y[:len(x)]
	for i, v := range x {
		y[i] = leakyReLUFactor(v, slope) * v
	}
}

func leakyReLUDerivative(a *args) {
	d, x, slope := a.floats(0), a.floats(1), a.slope()
	d = d[:len(x)]
	for i, v := range x {
		d[i] = leakyReLUFactor(v, slope)
	}
}

func leakyReLUBackward(a *args) {
	dx, dy, x, slope := a.floats(0), a.floats(1), a.floats(2), a.slope()
	dx, dy = dx[:len(x)], dy[:len(x)]
	for i, v := range x {
		dx[i] = leakyReLUFactor(v, slope) * dy[i]
	}
}

func leakyReLUForwardDerivative(a *args) {
	y, d, x, slope := a.floats(0), a.floats(1), a.floats(2), a.slope()
	y, d = y[:len(x)], d[:len(x)]
	for i, v := range x {
		factor := leakyReLUFactor(v, slope)
		y[i] = factor * v
		d[i] = factor
	}
}

func leakyReLUForwardMask(a *args) {
	y, m, x, slope := a.floats(0), a.words(1), a.floats(2), a.slope()
	for w := range m {
		n := min(len(x), 64)
		m[w] = leakyReLUForwardWord(y[:n], x[:n], slope)
		x, y = x[n:], y[n:]
	}
}

// leakyReLUForwardWord computes 1 to 64 elements, and returns their word. It is not
// inlined because its loop then lacks registers.
//
//go:noinline
func leakyReLUForwardWord(y, x []float32, slope uint32) uint64 {
	y = y[:len(x)]
	var word uint64 // the newest bit on top
	for i, v := range x {
		word = word>>1 | atLeastZero(v)<<63
		y[i] = leakyReLUFactor(v, slope) * v
	}
	return word >> (-len(x) & 63)
}

func leakyReLUBackwardMask(a *args) {
	dx, dy, m := a.floats(0), a.floats(1), a.words(2)
	dx = dx[:len(dy)]
	flips := a.slope() ^ one // the bits in which the slope differs from 1
	for _, word := range m {
		n := min(len(dy), 64)
		from, to := dy[:n], dx[:n]
		for i, v := range from {
			clear := uint32(word&1) - 1 // all ones, or 0
			to[i] = math.Float32frombits(one^flips&clear) * v
			word >>= 1
		}
		dy, dx = dy[n:], dx[n:]
	}
}

// atLeastZero returns the bit of a mask for x.
func atLeastZero(x float32) uint64 {
	if x >= 0 {
		return 1
	}
	return 0
}

// one is the float32 1.
const one = 0x3f800000

// leakyReLUFactor returns 1 if x >= 0, and the slope otherwise. A product with 1 is exact,
// so that each kernel is one multiplication. It selects between integers because the
// compiler turns that into a conditional move, and a selection between floats into a
// jump, which is mispredicted half of the time on random signs and makes the loop five
// times slower; TestGenericIsStraightLine checks it.
func leakyReLUFactor(x float32, slope uint32) float32 {
	factor := slope
	if x >= 0 {
		factor = one
	}
	return math.Float32frombits(factor)
}
