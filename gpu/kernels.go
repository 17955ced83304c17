//go:build opencl && cgo

package gpu

import (
	"strings"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
)

// An operation is one call over operands of the device. The first two are those of
// compute.Op.
type operation int

const (
	forward    = operation(compute.OpForward)
	derivative = operation(compute.OpDerivative)
)

const (
	backward operation = iota + 2
	forwardDerivative
	forwardMask
	backwardMask
)

// operations tells of every operation what the call is named, how many operands it
// has, how many of those it writes, and whether one is a mask. Its kernel takes the
// operands, their length, and the slope.
var operations = [...]struct {
	name              string
	operands, results int
	masked            bool
}{
	forward:           {"forward", 2, 1, false},
	derivative:        {"derivative", 2, 1, false},
	backward:          {"backward", 3, 1, false},
	forwardDerivative: {"forward derivative", 3, 2, false},
	forwardMask:       {"forward mask", 3, 2, true},
	backwardMask:      {"backward mask", 3, 1, true},
}

// activations has what the names of the kernels of every activation begin with, by
// compute.Kind; the operation follows, as in leaky_relu_forward_mask.
var activations = []string{compute.KindLeakyReLU: "leaky_relu"}

// kernelSet are the compiled kernels of one activation, by operation.
type kernelSet [len(operations)]*opencl.Kernel

// newKernels returns the kernels of every activation, by compute.Kind, for the use
// of one queue: the arguments are a state of a kernel. What it returns is to be
// released, beside an error too.
func newKernels(ctx *opencl.Context) (sets []kernelSet, err error) {
	sets = make([]kernelSet, len(activations))
	for kind, activation := range activations {
		if activation == "" {
			continue // the zero Kind
		}
		for op, o := range operations {
			name := activation + "_" + strings.ReplaceAll(o.name, " ", "_")
			if sets[kind][op], err = ctx.NewKernel(name, o.operands+2); err != nil {
				return sets, err
			}
		}
	}
	return sets, nil
}

func (k kernelSet) release() {
	for _, kernel := range k {
		kernel.Release()
	}
}
