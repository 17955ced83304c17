//go:build purego || !(amd64 || arm64)

package cpu

// accelerated returns no rows: there is no assembly for this processor.
func accelerated() []row { return nil }
