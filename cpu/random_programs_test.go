package cpu

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/progtest"
)

// TestRandomPrograms runs random programs on all instruction sets: as many as COMPUTE_PROGRAMS
// says.
func TestRandomPrograms(t *testing.T) {
	count, err := progtest.Count(3000)
	if err != nil {
		t.Fatal(err)
	}
	var backends []compute.Backend
	for _, set := range instructionSets() {
		b := Options{}.open(set)
		defer b.Close()
		backends = append(backends, b)
	}
	if err := progtest.Many(count, backends...); err != nil {
		t.Fatal(err)
	}
	for _, b := range backends {
		t.Logf("%d random programs are right on %s", count, b.Info().Name)
	}
}
