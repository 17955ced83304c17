package cpu

import (
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/exhaustive"
)

// TestEveryInput: every row that this processor has, with plain stores and with those
// past the caches, is right on every input (make exhaustive), or on a sample; and on a
// sample in short calls, which store past no caches.
func TestEveryInput(t *testing.T) {
	var plain, past []exhaustive.Subject
	contents := func(b compute.Buffer) []float32 { return b.(*buffer).data } // all is done when a call returns
	missing := []string{"avx512", "avx2", "neon"}
	for _, r := range rows() {
		missing = slices.DeleteFunc(missing, func(name string) bool { return name == r.name })
		b := open(r)
		b.pastFrom = 1 << 30
		defer b.Close()
		plain = append(plain, exhaustive.Subject{Name: r.name, Backend: b, Contents: contents})
		if r.past == nil {
			continue
		}
		b = open(r)
		b.pastFrom = 0
		defer b.Close()
		past = append(past, exhaustive.Subject{Name: r.name + " past the caches", Backend: b, Contents: contents})
	}
	exhaustive.Run(t, append(plain, past...))
	exhaustive.RunShort(t, plain) // all inputs would take hours
	for _, name := range missing {
		t.Logf("NOT tested: %s, which this build or processor has not", name)
	}
}
