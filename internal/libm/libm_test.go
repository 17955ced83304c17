package libm_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gmind-go/compute/internal/golden"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/libm"
	"github.com/gmind-go/compute/internal/values"
)

// TestBodies compares bodies, plain and with lookups, with package rounded: for special values,
// bits at random, and numbers near 1. The exhaustive tests of kernels have all inputs.
func TestBodies(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	inputs := values.Special()
	for range 3000 {
		inputs = append(inputs, math.Float32frombits(r.Uint32()), float32(r.NormFloat64()), float32(40*r.NormFloat64()))
	}
	for i := range 100 { // about the roots of geluPrime and geluTanhPrime
		inputs = append(inputs, -0x1.80eaap-1-float32(i)*0x1p-24, -0x1.81423cp-1-float32(i)*0x1p-24)
	}
	for _, op := range golden.Functions() {
		want := make([]float32, len(inputs))
		rounded := golden.Rounded(op)
		for i, x := range inputs {
			want[i] = rounded(x)
		}
		for _, test := range []struct {
			what string
			p    *ir.Program
		}{{"", libm.Body(op)}, {", with lookups", libm.BodyWithLookups(op)}} {
			p := test.p
			if p == nil {
				t.Fatalf("%s has no body%s", op.Info().Name, test.what)
			}
			if err := p.Check(); err != nil {
				t.Fatalf("%s%s: %v", p.Name, test.what, err)
			}
			nodes := make([]uint64, len(p.Nodes))
			for i, x := range inputs {
				p.Eval(nodes, 0, []uint64{uint64(math.Float32bits(x))})
				if y := math.Float32frombits(uint32(nodes[p.Results[0].Value])); !values.Same(y, want[i]) {
					t.Errorf("%s(%s) = %s, want %s%s", p.Name, values.Show(x), values.Show(y), values.Show(want[i]), test.what)
					break
				}
			}
		}
	}
}
