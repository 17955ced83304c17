package libm_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/libm"
	"github.com/gmind-go/compute/internal/values"
)

// TestQuick compares results of quick bodies that are sure with the reference, and counts those
// that are not. The exhaustive tests of kernels have all inputs.
func TestQuick(t *testing.T) {
	const n = 10000
	r := rand.New(rand.NewPCG(3, 4))
	var ordinary, others []float32
	for range n {
		ordinary = append(ordinary, 2*float32(r.NormFloat64()))
		others = append(others, math.Float32frombits(r.Uint32()), float32(40*r.NormFloat64()))
	}
	others = append(others, values.Special()...)
	for op := ir.Exp; op <= ir.SoftsignPrime; op++ {
		p := libm.Quick(op)
		if p == nil {
			continue
		}
		if err := p.Check(); err != nil {
			t.Fatalf("%s: %v", p.Name, err)
		}
		single(t, p)
		if unsure := unsure(t, p, reference(op), ordinary); unsure > n/1000 {
			t.Errorf("%s is not sure of %d in %d ordinary inputs", p.Name, unsure, n)
		}
		unsure(t, p, reference(op), others)
	}
}

// unsure returns the number of inputs for which p is not sure, and compares the others.
func unsure(t *testing.T, p, reference *ir.Program, inputs []float32) int {
	nodes := make([]uint64, len(p.Nodes))
	var want [2]uint64
	count := 0
	for _, x := range inputs {
		args := []uint64{uint64(math.Float32bits(x))}
		p.Eval(nodes, 0, args)
		if nodes[p.Results[1].Value] == 0 {
			count++
			continue
		}
		reference.Eval(want[:], 0, args)
		y, z := math.Float32frombits(uint32(nodes[p.Results[0].Value])), math.Float32frombits(uint32(want[1]))
		if !values.Same(y, z) {
			t.Errorf("%s(%s) = %s for sure, want %s", p.Name, values.Show(x), values.Show(y), values.Show(z))
			break
		}
	}
	return count
}

// single checks that p has no operation on float64, and that no product is an operand of a sum,
// which a device might compute as an fma.
func single(t *testing.T, p *ir.Program) {
	for _, n := range p.Nodes {
		if n.Type == ir.F64 || n.Type == ir.U64 {
			t.Errorf("%s has the operation %s on %v", p.Name, n.Op.Info().Name, n.Type)
		}
		if n.Op != ir.AddF32 && n.Op != ir.SubF32 {
			continue
		}
		for _, x := range n.Operands() {
			for p.Nodes[x].Op == ir.NegF32 {
				x = p.Nodes[x].In[0]
			}
			if p.Nodes[x].Op == ir.MulF32 {
				t.Errorf("%s has a product in a sum", p.Name)
			}
		}
	}
}
