package play

import (
	"slices"
	"testing"

	"github.com/gmind-go/compute/internal/form"
)

// TestSteps: scripts play every form.
func TestSteps(t *testing.T) {
	for _, fm := range form.All() {
		if !slices.ContainsFunc(steps(), func(s step) bool { return s.name == fm.String() }) {
			t.Errorf("no step plays %v", fm)
		}
	}
}
