// Package kernels has the OpenCL C source of the kernels. It is a package since go:embed cannot
// embed files of a parent directory.
package kernels

import _ "embed"

var (
	//go:embed elementwise.cl
	elementwise string
	//go:embed leaky_relu.cl
	leakyReLU string
)

// Source is the program of all kernels: copy, and one for each operation of an activation, such
// as leaky_relu_forward_mask. A build defines WIDTH, VECTORS, MASK_WIDTH, MASK_VECTORS and
// INDEX, and may define ALIGNED; elementwise.cl explains them.
var Source = elementwise + leakyReLU
