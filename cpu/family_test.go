package cpu

import (
	"testing"

	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/familytest"
	"github.com/gmind-go/compute/internal/form"
)

// TestFamily: the results of every activation are those of the reference, on every instruction
// set.
func TestFamily(t *testing.T) {
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			b := driver.New(Options{}.device(set))
			defer b.Close()
			familytest.Run(t, b, form.Family(), form.All())
		})
	}
}
