package form

import (
	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/function"
)

// Activations returns every function that the devices have kernels for, with the parameters that
// tests try.
func Activations() []compute.Activation {
	var list []compute.Activation
	for i, f := range function.All() {
		for _, params := range f.Trials {
			list = append(list, compute.Activation{Kind: compute.Kind(i + 1), Params: params})
		}
	}
	return list
}
