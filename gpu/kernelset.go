//go:build opencl && cgo

package gpu

import (
	"strings"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/form"
)

// activations has the prefix of the kernels of every activation, by compute.Kind. The form
// follows, as in leaky_relu_forward_mask.
var activations = []string{compute.KindLeakyReLU: "leaky_relu"}

// kernelSet are the compiled kernels of one activation. A kernel takes the operands of its
// form, their length, and the slope.
type kernelSet [form.Count]*opencl.Kernel

// newKernels returns the kernels of every activation, by compute.Kind, for the use
// of one queue: the arguments are a state of a kernel. What it returns is to be
// released, after an error too.
func newKernels(ctx *opencl.Context) (sets []kernelSet, err error) {
	sets = make([]kernelSet, len(activations))
	for kind, activation := range activations {
		if activation == "" {
			continue // the zero Kind
		}
		for _, fm := range form.All() {
			name := activation + "_" + strings.ReplaceAll(fm.String(), " ", "_")
			if sets[kind][fm], err = ctx.NewKernel(name, len(fm.Operands())+2); err != nil {
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
