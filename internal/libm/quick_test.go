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

// TestQuick compares results of quick bodies that are sure with the reference, and counts those
// that are not. So must do devices that divide with an error, or take subnormal numbers as zeros.
// The exhaustive tests of kernels have all inputs.
func TestQuick(t *testing.T) {
	const n = 2000
	r := rand.New(rand.NewPCG(3, 4))
	var inputs []float32
	for range n {
		inputs = append(inputs, 2*float32(r.NormFloat64()))
	}
	for range n / 2 {
		inputs = append(inputs, math.Float32frombits(r.Uint32()), float32(40*r.NormFloat64()))
	}
	inputs = append(inputs, values.Special()...)
	for _, op := range golden.Functions() {
		p := libm.Quick(op)
		single(t, p)
		inputs := append(inputs[:len(inputs):len(inputs)], bounds(p)...)
		var want []float32
		rounded := golden.Rounded(op)
		for _, x := range inputs {
			want = append(want, rounded(x))
		}
		near, results := golden.Near(op)
		few := min(len(near), n/4)
		inputs = append(inputs, near[:few]...)
		want = append(want, results[:few]...)
		for _, device := range []struct {
			name string
			p    *ir.Program
		}{
			{"", p},
			{", if quotients are 3 units too large", rewrite(p, nudge(3))},
			{", if quotients are 3 units too small", rewrite(p, nudge(-3))},
			{", if subnormal numbers are zeros", rewrite(p, flush)},
		} {
			if err := device.p.Check(); err != nil {
				t.Fatalf("%s: %v", p.Name, err)
			}
			unsure := 0
			nodes := make([]uint64, len(device.p.Nodes))
			for i, x := range inputs {
				device.p.Eval(nodes, 0, []uint64{uint64(math.Float32bits(x))})
				y, sure := math.Float32frombits(uint32(nodes[device.p.Results[0].Value])), nodes[device.p.Results[1].Value] != 0
				if sure && !values.Same(y, want[i]) {
					t.Errorf("%s(%s) = %s for sure, want %s%s", p.Name, values.Show(x), values.Show(y), values.Show(want[i]), device.name)
					break
				}
				if !sure && i < n {
					unsure++
				}
			}
			if unsure > n/1000 {
				t.Errorf("%s is not sure of %d in %d ordinary inputs%s", p.Name, unsure, n, device.name)
			}
		}
	}
}

// bounds returns the constants of p, among which are the bounds of its parts, with both signs, and
// their neighbours.
func bounds(p *ir.Program) []float32 {
	var list []float32
	for _, n := range p.Nodes {
		if n.Op == ir.Const && n.Type == ir.F32 {
			for i := range uint32(5) {
				x := math.Float32frombits(uint32(n.Imm) + i - 2)
				list = append(list, x, -x)
			}
		}
	}
	return list
}

// rewrite returns p with other values in place of those of its nodes of type float32. Only bits
// has the value of an argument as it is.
func rewrite(p *ir.Program, replace func(b *ir.Builder, op ir.Op, v ir.Value) ir.Value) *ir.Program {
	var b ir.Builder
	values, raw := make([]ir.Value, len(p.Nodes)), make([]ir.Value, len(p.Nodes))
	for i, n := range p.Nodes {
		v := ir.Value(0)
		switch n.Op {
		case ir.Arg:
			v = b.Arg(p.Args[n.Imm].Name, n.Type)
		case ir.Const:
			v = b.Const(n.Type, n.Imm)
		default:
			var in []ir.Value
			for _, x := range n.Operands() {
				if n.Op == ir.Bits {
					in = append(in, raw[x])
				} else {
					in = append(in, values[x])
				}
			}
			v = b.Op(n.Op, in...)
		}
		values[i], raw[i] = v, v
		if n.Type == ir.F32 {
			values[i] = replace(&b, n.Op, v)
		}
	}
	for _, r := range p.Results {
		b.Result(r.Name, values[r.Value])
	}
	return b.Program(p.Name)
}

// nudge makes quotients greater by some units in the last place.
func nudge(units int32) func(b *ir.Builder, op ir.Op, v ir.Value) ir.Value {
	return func(b *ir.Builder, op ir.Op, v ir.Value) ir.Value {
		if op != ir.DivF32 {
			return v
		}
		return b.Op(ir.FromBits, b.Op(ir.AddU32, b.Op(ir.Bits, v), b.Const(ir.U32, uint64(uint32(units)))))
	}
}

// flush makes subnormal numbers zeros.
func flush(b *ir.Builder, op ir.Op, v ir.Value) ir.Value {
	subnormal := b.Op(ir.LtF32, b.Op(ir.Abs, v), b.Float32(0x1p-126))
	return b.Op(ir.WhereF32, subnormal, b.Op(ir.Copysign, b.Float32(0), v), v)
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
