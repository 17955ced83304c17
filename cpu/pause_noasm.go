//go:build purego || !(amd64 || arm64)

package cpu

// pause is called in spin loops.
func pause() {}
