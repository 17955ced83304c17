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
}

type (
	unaryKernel    func(dst, x []float32, slope float32)
	backwardKernel func(dx, dy, x []float32, slope float32)
)

// A row of the kernel table is everything one instruction set does.
type row struct {
	name    string
	kernels []kernels // of every activation, by compute.Kind

	// past are the same kernels with stores that go past the caches, and copyPast
	// is a copy that does. Their slices hold whole blocks of pastBlock elements,
	// and dst is aligned to 64 bytes. Nil if the instruction set has no such
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
			backward: leakyReLUBackward,
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

// leakyReLUFactor returns 1 if x >= 0 and else the slope. A product with 1 is
// exact, so one multiplication by it is each kernel. It chooses between
// integers because the compiler turns that into a conditional move and a choice
// between floats into a jump, which on random signs is mispredicted every other
// time and makes the loop five times slower; TestGenericIsStraightLine watches.
func leakyReLUFactor(x float32, slope uint32) float32 {
	factor := slope
	if x >= 0 {
		factor = 0x3f800000 // 1
	}
	return math.Float32frombits(factor)
}
