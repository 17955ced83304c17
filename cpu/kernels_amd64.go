//go:build !purego

package cpu

import (
	"golang.org/x/sys/cpu"

	"github.com/gmind-go/compute"
)

//go:generate go run -C _asm . -out ../kernels_amd64.s -stubs ../stubs_amd64.go -pkg cpu

// accelerated returns the rows in assembly that this processor can run, best
// first. GODEBUG=cpu.avx512f=off and cpu.avx2=off leave them out.
func accelerated() []row {
	var rows []row
	if cpu.X86.HasAVX512F && cpu.X86.HasBMI2 {
		rows = append(rows, row{
			name: "avx512",
			kernels: []kernels{compute.KindLeakyReLU: {
				unary:             [2]unaryKernel{leakyReLUForwardAVX512, leakyReLUDerivativeAVX512},
				backward:          leakyReLUBackwardAVX512,
				forwardMask:       leakyReLUForwardMaskAVX512,
				backwardMask:      leakyReLUBackwardMaskAVX512,
				forwardDerivative: leakyReLUForwardDerivativeAVX512,
			}},
			past: []kernels{compute.KindLeakyReLU: {
				unary:             [2]unaryKernel{leakyReLUForwardAVX512NT, leakyReLUDerivativeAVX512NT},
				backward:          leakyReLUBackwardAVX512NT,
				forwardMask:       leakyReLUForwardMaskAVX512NT,
				backwardMask:      leakyReLUBackwardMaskAVX512NT,
				forwardDerivative: leakyReLUForwardDerivativeAVX512NT,
			}},
			copyPast: copyAVX512NT,
		})
	}
	if cpu.X86.HasAVX2 {
		rows = append(rows, row{
			name: "avx2",
			kernels: []kernels{compute.KindLeakyReLU: {
				unary:             [2]unaryKernel{leakyReLUForwardAVX2, leakyReLUDerivativeAVX2},
				backward:          leakyReLUBackwardAVX2,
				forwardMask:       leakyReLUForwardMaskAVX2,
				backwardMask:      leakyReLUBackwardMaskAVX2,
				forwardDerivative: leakyReLUForwardDerivativeAVX2,
			}},
			past: []kernels{compute.KindLeakyReLU: {
				unary:             [2]unaryKernel{leakyReLUForwardAVX2NT, leakyReLUDerivativeAVX2NT},
				backward:          leakyReLUBackwardAVX2NT,
				forwardMask:       leakyReLUForwardMaskAVX2NT,
				backwardMask:      leakyReLUBackwardMaskAVX2NT,
				forwardDerivative: leakyReLUForwardDerivativeAVX2NT,
			}},
			copyPast: copyAVX2NT,
		})
	}
	return rows
}
