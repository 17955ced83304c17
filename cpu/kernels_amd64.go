//go:build !purego

package cpu

import "golang.org/x/sys/cpu"

// accelerated returns the instruction sets in assembly that this processor has, best
// first. GODEBUG=cpu.avx512f=off and cpu.avx2=off leave them out.
func accelerated() []instructionSet {
	var sets []instructionSet
	if cpu.X86.HasAVX512F && cpu.X86.HasBMI2 && cpu.X86.HasFMA {
		sets = append(sets, avx512)
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		sets = append(sets, avx2)
	}
	return sets
}
