package libm_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/libm"
	"github.com/gmind-go/compute/internal/values"
)

// TestBodies compares bodies with the reference of their operations: for special values, bits
// at random, and numbers near 1. The exhaustive tests of kernels have all inputs.
func TestBodies(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	inputs := values.Special()
	for range 3000 {
		inputs = append(inputs, math.Float32frombits(r.Uint32()), float32(r.NormFloat64()), float32(40*r.NormFloat64()))
	}
	for i := range 100 { // about the roots of geluPrime and geluTanhPrime
		inputs = append(inputs, -0x1.80eaap-1-float32(i)*0x1p-24, -0x1.81423cp-1-float32(i)*0x1p-24)
	}
	for op := ir.Exp; op <= ir.SoftsignPrime; op++ {
		p := libm.Body(op)
		if p == nil {
			continue
		}
		if err := p.Check(); err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		reference := reference(op)
		nodes := make([]uint64, len(p.Nodes))
		var want [2]uint64
		for _, x := range inputs {
			args := []uint64{uint64(math.Float32bits(x))}
			p.Eval(nodes, 0, args)
			reference.Eval(want[:], 0, args)
			y, z := math.Float32frombits(uint32(nodes[p.Results[0].Value])), math.Float32frombits(uint32(want[1]))
			if !values.Same(y, z) {
				t.Errorf("%s(%s) = %s, want %s", p.Name, values.Show(x), values.Show(y), values.Show(z))
				break
			}
		}
	}
}

// reference returns the program of op alone.
func reference(op ir.Op) *ir.Program {
	var b ir.Builder
	b.Result("y", b.Op(op, b.Arg("x", ir.F32)))
	return b.Program("f")
}
