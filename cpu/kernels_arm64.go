//go:build !purego

package cpu

import (
	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// accelerated returns the instruction set in assembly. NEON is part of arm64: there is
// nothing to detect.
func accelerated() []instructionSet { return []instructionSet{neon} }

var neon = instructionSet{
	name: "neon",
	plain: []kernels{
		0: {
			form.Copy: copyElements,
		},
		compute.KindLeakyReLU: {
			form.Forward:           leakyReLUForwardNEON,
			form.Derivative:        leakyReLUDerivativeNEON,
			form.Backward:          leakyReLUBackwardNEON,
			form.ForwardDerivative: leakyReLUForwardDerivativeNEON,
			form.ForwardMask:       leakyReLUForwardMaskNEON,
			form.BackwardMask:      leakyReLUBackwardMaskNEON,
		},
	},
}

// Each computes what its namesake in kernels.go does.

//go:noescape
func leakyReLUForwardNEON(a *args)

//go:noescape
func leakyReLUDerivativeNEON(a *args)

//go:noescape
func leakyReLUBackwardNEON(a *args)

//go:noescape
func leakyReLUForwardDerivativeNEON(a *args)

//go:noescape
func leakyReLUForwardMaskNEON(a *args)

//go:noescape
func leakyReLUBackwardMaskNEON(a *args)
