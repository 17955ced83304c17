package expr

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"gonum.org/v1/gonum/diff/fd"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/randprog"
)

// real has the operations on float32 as functions of float64, from their definitions.
var real = map[ir.Op]func(x, y, z float64) float64{
	ir.NegF32:       func(x, _, _ float64) float64 { return -x },
	ir.AddF32:       func(x, y, _ float64) float64 { return x + y },
	ir.SubF32:       func(x, y, _ float64) float64 { return x - y },
	ir.MulF32:       func(x, y, _ float64) float64 { return x * y },
	ir.DivF32:       func(x, y, _ float64) float64 { return x / y },
	ir.FMA:          func(x, y, z float64) float64 { return x*y + z },
	ir.Sqrt:         func(x, _, _ float64) float64 { return math.Sqrt(x) },
	ir.Abs:          func(x, _, _ float64) float64 { return math.Abs(x) },
	ir.Copysign:     func(x, y, _ float64) float64 { return math.Copysign(x, y) },
	ir.Min:          func(x, y, _ float64) float64 { return math.Min(x, y) },
	ir.Max:          func(x, y, _ float64) float64 { return math.Max(x, y) },
	ir.Floor:        func(x, _, _ float64) float64 { return math.Floor(x) },
	ir.Ceil:         func(x, _, _ float64) float64 { return math.Ceil(x) },
	ir.Trunc:        func(x, _, _ float64) float64 { return math.Trunc(x) },
	ir.Rint:         func(x, _, _ float64) float64 { return math.RoundToEven(x) },
	ir.Exp:          func(x, _, _ float64) float64 { return math.Exp(x) },
	ir.Expm1:        func(x, _, _ float64) float64 { return math.Expm1(x) },
	ir.Log:          func(x, _, _ float64) float64 { return math.Log(x) },
	ir.Log1p:        func(x, _, _ float64) float64 { return math.Log1p(x) },
	ir.Tanh:         func(x, _, _ float64) float64 { return math.Tanh(x) },
	ir.Sigmoid:      func(x, _, _ float64) float64 { return 1 / (1 + math.Exp(-x)) },
	ir.LogSigmoid:   func(x, _, _ float64) float64 { return -math.Log1p(math.Exp(-x)) },
	ir.Erf:          func(x, _, _ float64) float64 { return math.Erf(x) },
	ir.Softplus:     func(x, _, _ float64) float64 { return math.Log1p(math.Exp(x)) },
	ir.SiLU:         func(x, _, _ float64) float64 { return x / (1 + math.Exp(-x)) },
	ir.GELU:         func(x, _, _ float64) float64 { return x * math.Erfc(-x/math.Sqrt2) / 2 },
	ir.Softsign:     func(x, _, _ float64) float64 { return x / (1 + math.Abs(x)) },
	ir.Log1pPrime:   func(x, _, _ float64) float64 { return 1 / (1 + x) },
	ir.TanhPrime:    func(x, _, _ float64) float64 { return 1 / (math.Cosh(x) * math.Cosh(x)) },
	ir.SigmoidPrime: func(x, _, _ float64) float64 { return 1 / (2 + math.Exp(x) + math.Exp(-x)) },
	ir.ErfPrime:     func(x, _, _ float64) float64 { return 2 / math.SqrtPi * math.Exp(-x*x) },
	ir.SiLUPrime:    func(x, _, _ float64) float64 { return (1 + x/(1+math.Exp(x))) / (1 + math.Exp(-x)) },
	ir.GELUPrime: func(x, _, _ float64) float64 {
		return math.Erfc(-x/math.Sqrt2)/2 + x*math.Exp(-x*x/2)/math.Sqrt(2*math.Pi)
	},
	ir.SoftsignPrime: func(x, _, _ float64) float64 { return 1 / math.Pow(1+math.Abs(x), 2) },
}

// inReal evaluates p with float64 in place of float32. It returns the results, the decisions on
// which they depend (values of other types, integers, and signs), and whether all operations
// are far from overflow and from where they have no derivative.
func inReal(p *ir.Program, args []uint64, floats []float64) (results []float64, decisions string, tame bool) {
	tame = true
	values, reals := make([]uint64, len(p.Nodes)), make([]float64, len(p.Nodes))
	for i, n := range p.Nodes {
		x, y, z := n.In[0], n.In[1], n.In[2]
		switch f, ok := real[n.Op]; {
		case ok:
			reals[i] = f(reals[x], reals[y], reals[z])
		case n.Op == ir.Arg:
			values[i], reals[i] = args[n.Imm], floats[n.Imm]
		case n.Op == ir.Const && n.Type == ir.F32:
			reals[i] = float64(math.Float32frombits(uint32(n.Imm)))
		case n.Op == ir.WhereF32 && values[x] != 0:
			reals[i] = reals[y]
		case n.Op == ir.WhereF32:
			reals[i] = reals[z]
		case n.Op == ir.EqF32 && reals[x] == reals[y], n.Op == ir.LtF32 && reals[x] < reals[y], n.Op == ir.LeF32 && reals[x] <= reals[y]:
			values[i] = 1
		case n.Op == ir.EqF32, n.Op == ir.LtF32, n.Op == ir.LeF32:
		case n.Op == ir.F32FromU32:
			reals[i] = float64(values[x])
		case n.Op == ir.U32FromF32 || n.Op == ir.Bits:
			one := ir.Program{Nodes: []ir.Node{{Op: ir.Arg, Type: ir.F32}, {Op: n.Op, Type: ir.U32}}}
			out := make([]uint64, 2)
			one.Eval(out, 0, []uint64{uint64(math.Float32bits(float32(reals[x])))})
			values[i] = out[1]
		default: // of integers and bools
			one := ir.Program{Nodes: []ir.Node{{Op: ir.Arg}, {Op: ir.Arg, Imm: 1}, {Op: ir.Arg, Imm: 2}, {Op: n.Op, In: [3]ir.Value{0, 1, 2}, Imm: n.Imm}}}
			out := make([]uint64, 4)
			one.Eval(out, 0, []uint64{values[x], values[y], values[z]})
			values[i] = out[3]
		}
		tame = tame && math.Abs(reals[i]) < 1e6 && !(n.Op == ir.Sqrt && reals[i] < 1e-3)
		switch n.Op {
		case ir.Min, ir.Max:
			decisions += fmt.Sprint(reals[x] < reals[y])
		case ir.Abs, ir.Copysign, ir.Softsign:
			decisions += fmt.Sprint(math.Signbit(reals[x]), math.Signbit(reals[y]))
		case ir.Floor, ir.Ceil, ir.Trunc, ir.Rint:
			decisions += fmt.Sprint(reals[i], " ")
		}
		if n.Type != ir.F32 && n.Op != ir.Bits {
			decisions += fmt.Sprint(values[i], " ")
		}
	}
	for _, r := range p.Results {
		if p.Nodes[r.Value].Type == ir.F32 {
			results = append(results, reals[r.Value])
		}
	}
	return results, decisions, tame
}

// TestRandomDerivatives compares the partial derivatives of random programs with finite
// differences, both with real numbers in place of float32, where no decision is near.
func TestRandomDerivatives(t *testing.T) {
	compared := 0
	for seed := range uint64(4000) {
		r := rand.New(rand.NewPCG(seed, 2))
		raw := randprog.New(r, randprog.Options{Operations: 8, Allowed: func(op ir.Op) bool {
			return real[op] != nil && op < ir.Log1pPrime || op == ir.WhereF32 || op == ir.LtF32 || op == ir.And || op == ir.F32FromU32
		}})
		p := &Program{ir: ir.Simplify(raw)}
		args := randprog.Args(r, p.ir)
		floats := make([]float64, len(args))
		for i := range floats {
			floats[i] = r.NormFloat64()
		}
		for i, a := range p.Args() {
			if a.Type == Float32 && p.Partial(a.Name).Err() == nil {
				compared += compareDerivatives(t, p, i, args, floats)
			}
		}
	}
	if compared < 1000 {
		t.Errorf("compared %d derivatives only", compared)
	}
}

// compareDerivatives compares the derivatives with respect to an argument, and returns how many
// could be compared and are not 0.
func compareDerivatives(t *testing.T, p *Program, arg int, args []uint64, floats []float64) int {
	const h = 1e-4
	at := func(x float64) ([]float64, string, bool) {
		moved := append([]float64{}, floats...)
		moved[arg] = x
		return inReal(p.ir, args, moved)
	}
	x := floats[arg]
	_, here, _ := at(x)
	for _, dx := range []float64{-2 * h, 0, 2 * h} {
		if _, there, tame := at(x + dx); there != here || !tame {
			return 0
		}
	}
	d := p.Partial(p.ir.Args[arg].Name)
	partials, _, _ := inReal(d.ir, args, floats)
	compared := 0
	for i, got := range partials {
		f := func(x float64) float64 { values, _, _ := at(x); return values[i] }
		want := fd.Derivative(f, x, &fd.Settings{Formula: fd.Central, Step: h})
		again := fd.Derivative(f, x, &fd.Settings{Formula: fd.Central, Step: h / 2})
		scale := 1 + math.Abs(want)
		if math.Abs(f(x)) > 1e4*scale || !(math.Abs(want-again) < 1e-6*scale) {
			continue // the difference is not near the derivative
		}
		if math.Abs(got-want) > 1e-5*scale || got != got {
			t.Errorf("derivative %d with respect to argument %d of\n%v\nis\n%v\n%v, want %v at %v", i, arg, p, d, got, want, floats)
		}
		if got != 0 {
			compared++
		}
	}
	return compared
}
