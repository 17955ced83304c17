//go:build opencl && cgo

package gpu

import (
	"fmt"
	"slices"
	"testing"

	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/exhaustive"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/kernels"
)

// TestEveryInput: every device, with the kernels in its own shape and in that of GPUs,
// is right on every input (make exhaustive), or on a sample.
func TestEveryInput(t *testing.T) {
	testenv.Open(t, OpenDevice("any"))
	infos, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	var subjects []exhaustive.Subject
	for i, info := range infos {
		for _, s := range distinctShapes(opencl.Type(info.Kind), opencl.GPU) {
			devices, problem := listWith(Options{StreamMemory: defaultStreamMemory}, func(*opencl.Device) program {
				return program{kernels.Source, s}
			})
			b, err := openMatching(fmt.Sprint(i), devices, problem)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			subjects = append(subjects, exhaustive.Subject{Name: fmt.Sprintf("%s, shape %+v", info.Name, s), Backend: b})
		}
	}
	exhaustive.Run(t, subjects)
	t.Logf("NOT tested on every input, but by the self-test and the conformance suite: the elements behind the last whole vector of a call")
}

// distinctShapes returns the shapes of these types, each once.
func distinctShapes(types ...opencl.Type) []shape {
	var list []shape
	for _, typ := range types {
		if s := shapes[typ]; !slices.Contains(list, s) {
			list = append(list, s)
		}
	}
	return list
}
