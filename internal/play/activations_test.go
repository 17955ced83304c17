package play

import (
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// TestActivations: on the CPU scripts play every function, and programs; elsewhere programs too.
func TestActivations(t *testing.T) {
	drawn := func(others []compute.Activation) (list []compute.Activation) {
		p := Player{s: &Session{others: others}}
		for b := range 256 {
			p.script = script{byte(b)}
			list = append(list, p.activation())
		}
		return list
	}
	all, elsewhere := drawn(others()), drawn(few())
	for _, f := range append(form.Family(), form.Programs()...) {
		if !slices.Contains(all, f) {
			t.Errorf("no script plays %v", f)
		}
	}
	for _, f := range append(form.Activations(), few()...) {
		if !slices.Contains(elsewhere, f) {
			t.Errorf("no script plays %v elsewhere", f)
		}
	}
}
