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
		for _, p := range []*ir.Program{libm.Body(op), libm.BodyWithLookups(op), libm.Quick(op)} {
			if p == nil {
				continue
			}
			nodes := make([]uint64, len(p.Nodes))
			for i, x := range inputs {
				p.Eval(nodes, 0, []uint64{uint64(math.Float32bits(x))})
				y := math.Float32frombits(uint32(nodes[p.Results[0].Value]))
				unsure := len(p.Results) > 1 && nodes[p.Results[1].Value] == 0
				if !unsure && !values.Same(y, results[i]) {
					t.Errorf("%s(%s) = %s, want %s, by the program of %d results", op.Info().Name, values.Show(x), values.Show(y), values.Show(results[i]), len(p.Results))
				}
			}
		}
	}
}
