//go:build opencl && cgo && !race

package gpu

const raced = false
