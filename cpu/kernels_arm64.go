//go:build !purego

package cpu

import "github.com/gmind-go/compute"

// accelerated returns the row in assembly. NEON is part of arm64: there is nothing
// to detect.
func accelerated() []row {
	return []row{{
		name: "neon",
		kernels: []kernels{compute.KindLeakyReLU: {
			unary:             [2]unaryKernel{leakyReLUForwardNEON, leakyReLUDerivativeNEON},
			backward:          leakyReLUBackwardNEON,
			forwardMask:       leakyReLUForwardMaskNEON,
			backwardMask:      leakyReLUBackwardMaskNEON,
			forwardDerivative: leakyReLUForwardDerivativeNEON,
		}},
	}}
}
