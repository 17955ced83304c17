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

// TestEveryInput: every device is right on every input (make exhaustive), or on a sample;
// and on one of every 16, or that sample, with the kernels in the shape of a GPU.
func TestEveryInput(t *testing.T) {
	testenv.Open(t, OpenDevice("any"))
	infos, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	var own, others []exhaustive.Subject
	for i, info := range infos {
		for j, s := range distinctShapes(opencl.Type(info.Kind), opencl.GPU) {
			devices, problem := listWith(Options{StreamMemory: defaultStreamMemory}, func(*opencl.Device) program {
				return program{kernels.Source, s}
			})
			b, err := openFirst(takeMatching(fmt.Sprint(i), devices, problem))
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			subject := exhaustive.Subject{Name: fmt.Sprintf("%s, shape %+v", info.Name, s), Backend: b}
			if j == 0 {
				own = append(own, subject)
			} else {
				others = append(others, subject)
			}
		}
	}
	exhaustive.Run(t, own)
	exhaustive.RunPart(t, others, 16) // all in each shape would double the time
	t.Logf("NOT tested on every input, but by the self-test and the conformance suite: the elements behind the last whole vector of a call")
}

// TestEveryInputOfFunctions: every device computes the functions of programs right on every
// input in double (make exhaustive), or on a sample. In the other ways, which take long, one of
// some blocks is tested.
func TestEveryInputOfFunctions(t *testing.T) {
	testenv.Open(t, OpenDevice("any"))
	infos, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []struct {
		way   string
		every int
	}{
		{"double", 1}, {"quick, then integers", 64}, {"quick, then double", 64}, {"integers", 512},
	} {
		t.Run(part.way, func(t *testing.T) {
			if (part.way == "integers" || part.way == "quick, then double") && !testenv.Exhaustive() {
				t.Skip("make exhaustive runs it; TestFunctions has a sample")
			}
			var subjects []exhaustive.Subject
			for i, info := range infos {
				b := testenv.Open(t, OpenDevice(fmt.Sprint(i)))
				restore, ok := ways[part.way].take(inside(b))
				if !ok {
					t.Logf("NOT tested: %s, which has no double", info.Name)
					continue
				}
				t.Cleanup(restore)
				subjects = append(subjects, exhaustive.Subject{Name: info.Name + ", " + part.way, Backend: b, Together: true})
			}
			exhaustive.Functions(t, subjects, part.every)
		})
	}
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
