package cpu

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/progtest"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestRandomPrograms runs random programs on all instruction sets: as many as COMPUTE_PROGRAMS
// says.
func TestRandomPrograms(t *testing.T) {
	count, err := progtest.Count(map[bool]int{false: 3000, true: 500}[testenv.Raced])
	if err != nil {
		t.Fatal(err)
	}
	var backends []compute.Backend
	for _, set := range instructionSets() {
		b := Options{}.open(set)
		defer b.Close()
		backends = append(backends, b)
	}
	if err := progtest.Many(count, 1, backends...); err != nil {
		t.Fatal(err)
	}
	for _, b := range backends {
		t.Logf("%d random programs are right on %s", count, b.Info().Name)
	}
}

// TestNamedPrograms runs programs that users write on all instruction sets, for lengths around
// those of tiles.
func TestNamedPrograms(t *testing.T) {
	for _, set := range instructionSets() {
		b := Options{}.open(set)
		defer b.Close()
		run := progtest.NewRunner(b)
		for _, n := range []int{0, 1, 63, 64, 65, 200, 511, 513, 1023, 1025, 4098, 70_000} {
			for _, c := range progtest.Named(n) {
				if err := run.All(c); err != nil {
					t.Errorf("%v\n%v", err, c)
				}
			}
		}
		if err := run.Release(); err != nil {
			t.Error(err)
		}
	}
}
