//go:build opencl && cgo

package gpu

import (
	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
)

// kernelNames are the names of the kernels of one activation.
type kernelNames struct {
	unary    [2]string // by compute.Op
	backward string
}

// activations names the kernels of every activation, by compute.Kind.
var activations = []kernelNames{
	compute.KindLeakyReLU: {
		unary: [2]string{
			compute.OpForward:    "leaky_relu_forward",
			compute.OpDerivative: "leaky_relu_derivative",
		},
		backward: "leaky_relu_backward",
	},
}

// kernelSet are the compiled kernels of one activation.
type kernelSet struct {
	unary    [2]*opencl.Kernel // by compute.Op
	backward *opencl.Kernel
}

// newKernels returns the kernels of every activation, by compute.Kind, for the use
// of one queue: the arguments are a state of a kernel. What it returns is to be
// released, beside an error too.
func newKernels(ctx *opencl.Context) (sets []kernelSet, err error) {
	sets = make([]kernelSet, len(activations))
	for kind, names := range activations {
		if names == (kernelNames{}) {
			continue // the zero Kind
		}
		k := &sets[kind]
		for op, name := range names.unary {
			if k.unary[op], err = ctx.NewKernel(name, 4); err != nil {
				return sets, err
			}
		}
		if k.backward, err = ctx.NewKernel(names.backward, 5); err != nil {
			return sets, err
		}
	}
	return sets, nil
}

func (k kernelSet) release() {
	for _, kernel := range k.unary {
		kernel.Release()
	}
	k.backward.Release()
}
