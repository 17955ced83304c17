//go:build purego || !(amd64 || arm64)

package cpu

// pause is a turn of a waiting loop.
func pause() {}
