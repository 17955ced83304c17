package form

import (
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/function"
)

// Family returns every function, with the parameters that tests try.
func Family() []compute.Activation {
	var list []compute.Activation
	for i, f := range function.All() {
		for _, params := range f.Trials {
			list = append(list, compute.Activation{Kind: compute.Kind(i + 1), Params: params})
		}
	}
	return list
}

// Fused returns those of Family with fused loops in package cpu. They have all forms.
func Fused() []compute.Activation {
	return slices.DeleteFunc(Family(), func(f compute.Activation) bool { return !function.Of(int(f.Kind)).Fused })
}

// Activations returns Fused, and of the others some that stand for all where each function costs
// time, such as that of a compilation: a function alone, one with a parameter, and a long one.
func Activations() []compute.Activation {
	return append(Fused(), compute.Sigmoid(), compute.ELU(1.5), compute.GELU())
}
