package kernels_test

import (
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/kernels"
)

// TestSource: there is one kernel for each operation of each activation, and copy.
func TestSource(t *testing.T) {
	names := []string{"copy"}
	for _, fm := range form.All() {
		names = append(names, "leaky_relu_"+strings.ReplaceAll(fm.String(), " ", "_"))
	}
	for _, name := range names {
		if n := strings.Count(kernels.Source, "kernel void "+name+"("); n != 1 {
			t.Errorf("there are %d kernels %s, want 1", n, name)
		}
	}
	if n := strings.Count(kernels.Source, "kernel void "); n != len(names) {
		t.Errorf("there are %d kernels, want %d", n, len(names))
	}
}
