// Package kernels has the OpenCL C source of the kernels. It is a package since go:embed cannot
// embed files of a parent directory.
package kernels

//go:generate go run ../internal/openclc/generate

import _ "embed"

var (
	//go:embed elementwise.cl
	elementwise string
	//go:embed arithmetic.cl
	arithmetic string
	//go:embed double.cl
	double string
	//go:embed softfloat.cl
	softFloat string
	//go:embed leaky_relu.cl
	leakyReLU string
	//go:embed copy.cl
	copyAll string
	//go:embed peak.cl
	peak string
	//go:embed matmul_panels.cl
	panels string
	//go:embed matmul_tiles.cl
	tiles string

	// Gather is the program that copies rows of a matrix. Before it the program defines INDEX.
	//
	//go:embed gather.cl
	Gather string
	// Reduce follows Prelude and what package openclc prints for a reduction. Before these the
	// program also defines ITEMS, GROUP and, for what is not the sum of rows, COLUMNS, and MEAN,
	// MAXIMUM or MINIMUM.
	//
	//go:embed reduce.cl
	Reduce string
)

// Prelude is what precedes every kernel in a program. Before it the program defines WIDTH,
// VECTORS and INDEX, and may define ALIGNED, EXACT_DIVISION, DOUBLE, FUSED and FLUSHES;
// elementwise.cl, arithmetic.cl and double.cl explain them.
var Prelude = elementwise + "\n" + arithmetic + "\n" + double + "\n" + softFloat

// Source is the program of the shipped kernels, Prelude among it: copy, and one for each
// operation of LeakyReLU, such as leaky_relu_forward_mask. Those with a mask are there if WIDTH
// is 8 or more.
var Source = Prelude + "\n" + leakyReLU + "\n" + copyAll

// The products of matrices. Before them a program defines WIDTH, VECTORS, INDEX and maybe FUSED
// and ALIGNED, as before Prelude, BLOCK, and the numbers that the source of each explains.
var (
	MatMulPanels = elementwise + "\n" + arithmetic + "\n" + panels
	MatMulTiles  = elementwise + "\n" + arithmetic + "\n" + tiles
)

// Peak is the program that shows what a device computes, after the same definitions as Prelude.
var Peak = elementwise + "\n" + peak
