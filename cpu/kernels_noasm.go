//go:build purego || !(amd64 || arm64)

package cpu

// accelerated returns nothing: there is no assembly for this processor.
func accelerated() []instructionSet { return nil }
