package cpu

import (
	"slices"
	"testing"

	"github.com/gmind-go/compute/internal/exhaustive"
)

// TestEveryInput: every row that this processor has, with plain stores and with those
// past the caches, is right on every input (make exhaustive), or on a sample.
func TestEveryInput(t *testing.T) {
	var subjects []exhaustive.Subject
	missing := []string{"avx512", "avx2", "neon"}
	for _, r := range rows() {
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == r.name })
		b := open(r)
		b.pastFrom = 1 << 30
		defer b.Close()
		subjects = append(subjects, exhaustive.Subject{Name: r.name, Backend: b})
		if r.past == nil {
			continue
		}
		past := open(r)
		past.pastFrom = 0
		defer past.Close()
		subjects = append(subjects, exhaustive.Subject{Name: r.name + " past the caches", Backend: past})
	}
	exhaustive.Run(t, subjects)
	for _, name := range missing {
		t.Logf("NOT tested: %s, which this build or processor has not", name)
	}
}
