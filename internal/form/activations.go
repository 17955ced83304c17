package form

import "github.com/gmind-go/compute"

// Activations returns functions with parameters that expose kernels that are right only
// for the usual ones. Slope 0 exposes products with infinity, 2.5 a maximum of x and
// slope*x, -0.5 a kernel that goes by the sign of the result.
func Activations() []compute.Activation {
	var list []compute.Activation
	for _, slope := range []float32{0, compute.DefaultNegativeSlope, 1, 2.5, -0.5} {
		list = append(list, compute.LeakyReLU(slope))
	}
	return list
}
