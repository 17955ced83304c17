package cpu

import (
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/exhaustive"
)

// TestEveryInput: every instruction set that this processor has, with plain and with
// non-temporal stores, is right on every input (make exhaustive), or on a sample; and on a
// sample in short calls, which use plain stores.
func TestEveryInput(t *testing.T) {
	var plain, nonTemporal []exhaustive.Subject
	contents := func(b compute.Buffer) []float32 { return driver.MemoryOf(b).(*memory).elements } // calls compute before they return
	missing := []string{"avx512", "avx2", "neon"}
	for _, set := range instructionSets() {
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == set.name })
		d := Options{}.device(set)
		d.cache = 1 << 30
		b := driver.New(d)
		defer b.Close()
		plain = append(plain, exhaustive.Subject{Name: set.name, Backend: b, Contents: contents})
		if set.nonTemporal == nil {
			continue
		}
		d = Options{}.device(set)
		d.cache = 0
		b = driver.New(d)
		defer b.Close()
		nonTemporal = append(nonTemporal, exhaustive.Subject{Name: set.name + ", non-temporal", Backend: b, Contents: contents})
	}
	exhaustive.Run(t, append(plain, nonTemporal...))
	exhaustive.RunShort(t, plain) // all inputs would take hours
	for _, name := range missing {
		t.Logf("NOT tested: %s, which this build or processor does not have", name)
	}
}
