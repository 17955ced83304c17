//go:build opencl && cgo

package gpu

import (
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/familytest"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestFamily: the results of every activation are those of the reference. A device compiles
// each form, so these are the two that have all results. Of the activations that are one
// function of package ir, which other tests cover, it has only some without make exhaustive.
func TestFamily(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	if testing.Short() {
		t.Skip("it compiles kernels of all activations")
	}
	list := form.Family()
	if !testenv.Exhaustive() {
		list = slices.DeleteFunc(list, func(f compute.Activation) bool {
			return len(f.Program().IR().Nodes) == 2 && !slices.Contains(form.Activations(), f)
		})
	}
	familytest.Run(t, b, list, []form.Form{form.ForwardDerivative, form.Backward})
}
