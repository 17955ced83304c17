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

// Source is the program of all kernels: copy, leaky_relu_forward,
// leaky_relu_derivative and leaky_relu_backward. It is built with WIDTH and VECTORS
// defined, as elementwise.cl explains.
var Source = elementwise + leakyReLU
