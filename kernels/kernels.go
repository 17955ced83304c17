// Package kernels holds the OpenCL C source of the device kernels. It is a
// package of its own because go:embed cannot reach files above its folder.
package kernels

import _ "embed"

var (
	//go:embed elementwise.cl
	elementwise string
	//go:embed leaky_relu.cl
	leakyReLU string
)

// Source is the program of all kernels: copy, and those whose names are an activation
// and an operation, as leaky_relu_forward_mask. It is built with WIDTH, VECTORS,
// MASK_WIDTH, MASK_VECTORS and INDEX defined, and ALIGNED or not, as elementwise.cl
// explains.
var Source = elementwise + leakyReLU
