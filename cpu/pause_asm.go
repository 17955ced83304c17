//go:build !purego && (amd64 || arm64)

package cpu

//go:noescape
func pause()
