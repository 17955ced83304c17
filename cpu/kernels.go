package cpu

import (
	"math"

	"github.com/gmind-go/compute"
)

// kernels are the loops of one activation, as one instruction set does them.
// The slices of a call have equal length; the result may be one of the
// operands, element over element.
type kernels struct {
	unary    [2]unaryKernel // by compute.Op
	backward backwardKernel

	// A mask has one word for 64 elements, the last for what is left. Forward sets
	// all of its words, with zeros behind the last element.
	forwardMask       forwardMaskKernel
	backwardMask      backwardMaskKernel
	forwardDerivative forwardDerivativeKernel
}

type (
	unaryKernel             func(dst, x []float32, slope float32)
	backwardKernel          func(dx, dy, x []float32, slope float32)
	forwardMaskKernel       func(y []float32, mask []uint64, x []float32, slope float32)
	backwardMaskKernel      func(dx, dy []float32, mask []uint64, slope float32)
	forwardDerivativeKernel func(y, d, x []float32, slope float32)
)

// A row of the kernel table is everything one instruction set does.
type row struct {
	name    string
	kernels []kernels // of every activation, by compute.Kind

	// past are the same kernels with stores that go past the caches, and copyPast
	// is a copy that does. Their slices hold whole blocks of pastBlock elements,
	// and the results are aligned to 64 bytes. Nil if the instruction set has no such
	// stores.
	past     []kernels
	copyPast func(dst, x []float32)
}

const pastBlock = 64

// rows returns the rows that this processor can run, best first. The last is
// always the generic one.
func rows() []row { return append(accelerated(), generic) }

// generic is the row in plain Go, for every processor.
var generic = row{
	name: "generic",
	kernels: []kernels{
		compute.KindLeakyReLU: {
			unary: [2]unaryKernel{
				compute.OpForward:    leakyReLUForward,
				compute.OpDerivative: leakyReLUDerivative,
			},
			backward:          leakyReLUBackward,
			forwardMask:       leakyReLUForwardMask,
			backwardMask:      leakyReLUBackwardMask,
			forwardDerivative: leakyReLUForwardDerivative,
		},
	},
}

func leakyReLUForward(y, x []float32, slope float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = leakyReLUFactor(v, math.Float32bits(slope)) * v
	}
}

func leakyReLUDerivative(d, x []float32, slope float32) {
	d = d[:len(x)]
	for i, v := range x {
		d[i] = leakyReLUFactor(v, math.Float32bits(slope))
	}
}

func leakyReLUBackward(dx, dy, x []float32, slope float32) {
	dx, dy = dx[:len(x)], dy[:len(x)]
	for i, v := range x {
		dx[i] = leakyReLUFactor(v, math.Float32bits(slope)) * dy[i]
	}
}

func leakyReLUForwardMask(y []float32, mask []uint64, x []float32, slope float32) {
	y = y[:len(x)]
	for w := range mask {
		n := min(len(x), 64)
		mask[w] = leakyReLUForwardWord(y[:n], x[:n], slope)
		x, y = x[n:], y[n:]
	}
}

// leakyReLUForwardWord does at most 64 elements, at least one, and returns their word.
// It is not inlined because its loop then has not enough registers.
//
//go:noinline
func leakyReLUForwardWord(y, x []float32, slope float32) uint64 {
	y = y[:len(x)]
	var word uint64 // the newest bit on top
	for i, v := range x {
		word = word>>1 | atLeastZero(v)<<63
		y[i] = leakyReLUFactor(v, math.Float32bits(slope)) * v
	}
	return word >> (-len(x) & 63)
}

func leakyReLUBackwardMask(dx, dy []float32, mask []uint64, slope float32) {
	dx = dx[:len(dy)]
	// The factor is 1 with these bits turned over where the mask is clear.
	turn := math.Float32bits(slope) ^ one
	for _, word := range mask {
		n := min(len(dy), 64)
		from, to := dy[:n], dx[:n]
		for i, v := range from {
			clear := uint32(word&1) - 1 // all ones or none
			to[i] = math.Float32frombits(one^turn&clear) * v
			word >>= 1
		}
		dy, dx = dy[n:], dx[n:]
	}
}

func leakyReLUForwardDerivative(y, d, x []float32, slope float32) {
	y, d = y[:len(x)], d[:len(x)]
	for i, v := range x {
		factor := leakyReLUFactor(v, math.Float32bits(slope))
		y[i] = factor * v
		d[i] = factor
	}
}

// one is the float32 1.
const one = 0x3f800000

// atLeastZero returns 1 if x >= 0 and else 0, which takes no jump.
func atLeastZero(x float32) uint64 {
	var bit uint64
	if x >= 0 {
		bit = 1
	}
	return bit
}

// leakyReLUFactor returns 1 if x >= 0 and else the slope. A product with 1 is
// exact, so one multiplication by it is each kernel. It chooses between
// integers because the compiler turns that into a conditional move and a choice
// between floats into a jump, which on random signs is mispredicted every other
// time and makes the loop five times slower; TestGenericIsStraightLine watches.
func leakyReLUFactor(x float32, slope uint32) float32 {
	factor := slope
	if x >= 0 {
		factor = one
	}
	return math.Float32frombits(factor)
}
