package form

import (
	"slices"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
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

// Programs returns Activations of programs, as users make them. It is for tests.
var Programs = sync.OnceValue(func() (list []compute.Activation) {
	add := func(text string, params ...float32) {
		f, err := compute.ActivationOf(expr.MustParse(text), params...)
		if err != nil {
			panic(err) // the text is wrong
		}
		list = append(list, f)
	}
	add("three(x) = 3")   // no form reads x
	add("steep(x) = 2*x") // the derivative does not
	const dent = "dent(x, unused, edge, slope, value) = where(x > edge, x, slope*x + value)"
	add(dent, 1, 0.25, -2.5, -1)
	add(dent, 1, -0.5, 3, 1)                 // the same kernels
	add("bell(d, y) = exp(-(1/y)*d*d)", 1.5) // names of results
	add("odd(x) = where(bits(x) & 1 == 1, -x, x)")
	return list
})
