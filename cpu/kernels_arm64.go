//go:build !purego

package cpu

// accelerated returns the instruction set in assembly. NEON is part of arm64: there is
// nothing to detect.
func accelerated() []instructionSet { return []instructionSet{neon} }
