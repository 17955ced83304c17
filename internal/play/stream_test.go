package play

import "testing"

// TestUndisturbed: a change of watched memory is found at the end of the script.
func TestUndisturbed(t *testing.T) {
	memory := []float32{1, 2}
	p := Player{watched: []watched{{memory, []float32{1, 2}}, {memory, []float32{1, 2}}}, script: script{0}}
	memory[1] = 3
	if err := p.undisturbed(); err != nil {
		t.Errorf("within the script: %v", err)
	}
	p.script = nil
	if err := p.undisturbed(); err == nil {
		t.Error("at the end of the script the change is not found")
	}
}
