package libm_test

import (
	"math"
	"testing"

	"github.com/gmind-go/compute/internal/golden"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/libm"
	"github.com/gmind-go/compute/internal/values"
)

// TestHardInputs compares bodies with the results by MPFR, at the inputs that are the hardest to
// round, and quick bodies where they are sure.
func TestHardInputs(t *testing.T) {
	for _, op := range golden.Functions() {
		inputs, results := golden.Near(op)
		for what, p := range map[string]*ir.Program{
			"body": libm.Body(op), "body with lookups": libm.BodyWithLookups(op), "quick body": libm.Quick(op),
		} {
			nodes := make([]uint64, len(p.Nodes))
			for i, x := range inputs {
				p.Eval(nodes, 0, []uint64{uint64(math.Float32bits(x))})
				y := math.Float32frombits(uint32(nodes[p.Results[0].Value]))
				unsure := len(p.Results) > 1 && nodes[p.Results[1].Value] == 0
				if !unsure && !values.Same(y, results[i]) {
					t.Errorf("%s(%s) = %s by the %s, want %s", op.Info().Name, values.Show(x), values.Show(y), what, values.Show(results[i]))
				}
			}
		}
	}
}
