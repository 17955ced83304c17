//go:build !purego

package cpu

// accelerated returns the rows in assembly that this processor can run.
func accelerated() []row { return nil }
