package libm_test

import (
	"math"
	"testing"

	"github.com/gmind-go/compute/internal/golden"
	"github.com/gmind-go/compute/internal/libm"
	"github.com/gmind-go/compute/internal/values"
)

// TestHardInputs compares bodies with the results by MPFR, at the inputs that are the hardest to
// round, and quick bodies where they are sure.
func TestHardInputs(t *testing.T) {
	for _, op := range golden.Functions() {
		body, quick := libm.Body(op), libm.Quick(op)
		inputs, results := golden.Near(op)
		for i, x := range inputs {
			if body != nil {
				nodes := make([]uint64, len(body.Nodes))
				body.Eval(nodes, 0, []uint64{uint64(math.Float32bits(x))})
				if y := math.Float32frombits(uint32(nodes[body.Results[0].Value])); !values.Same(y, results[i]) {
					t.Errorf("%s(%s) = %s, want %s", body.Name, values.Show(x), values.Show(y), values.Show(results[i]))
				}
			}
			if quick != nil {
				nodes := make([]uint64, len(quick.Nodes))
				quick.Eval(nodes, 0, []uint64{uint64(math.Float32bits(x))})
				y, sure := math.Float32frombits(uint32(nodes[quick.Results[0].Value])), nodes[quick.Results[1].Value]
				if sure != 0 && !values.Same(y, results[i]) {
					t.Errorf("the quick body of %s is sure of %s at %s, and it should be %s", op.Info().Name, values.Show(y), values.Show(x), values.Show(results[i]))
				}
			}
		}
	}
}
