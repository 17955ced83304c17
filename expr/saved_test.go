package expr

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/randprog"
)

// TestSaved checks the pair of programs, by their text.
func TestSaved(t *testing.T) {
	for _, known := range []struct{ text, bit, dx string }{
		{"leakyReLU(x, s) = where(x >= 0, x, s*x)", "x >= 0", "where(bit, dy, dy * s)"},
		{"relu(x) = max(x, 0)", "x > 0", "where(bit, dy, 0)"},
		{"clip(x, a, b) = where(x < a, a, where(x > b, b, x))", "t1 || t2", "where(bit, 0, dy)"},
		{"relu6(x) = min(max(x, 0), 6)", "t1 < 6 && x > 0", "where(bit, dy, 0)"},
		{"hardSigmoid(x) = min(max(x+3, 0), 6)/6", "t2 < 6 && t1 > 0", "where(bit, dy * 0.16666667, 0)"},
		{"f(x) = abs(x)", "x < 0", "where(bit, -dy, dy)"},
		{"f(x) = 2*where(x > 1, 3*x, 5*x)", "x > 1", "where(bit, dy * 6, dy * 10)"},
		{"f(s, x) = where(s > 1, max(x, 0), 3*x)", "x > 0", "where(bit, where(t1, dy, t2), where(t1, 0, t2))"},
		{"f(x, s) = where(s > 1, max(x, 0), min(x, 0))", "t1 && x > 0 || !t1 && x < 0", "where(bit, dy, 0)"},
		{"f(x) = where(!(x > 3) && x > -2, x, 1)", "!(x > 3) && x > -2", "where(bit, dy, 0)"},
		{"f(x) = where(!(x > 3) || x > -2, x, 1)", "!(x > 3) || x > -2", "where(bit, dy, 0)"},
		{"f(x, bit) = where(x > bit, x, 3)", "bit < x", "where(bit_, dy, 0)"},
		{"func f(x, c float32) (y, z float32) {\n\ty = max(x, c)\n\tz = where(c < x, 2*x, 1)\n\treturn\n}", "c < x", "where(bit, dy + dz * 2, 0)"},
		{"f(x, c) = where(x > c, x, 0) + where(x > c, 0, 3*x)", "c < x", "where(bit, dy, dy * 3)"},
		{"func f(x, keep float32, seed uint32) (y float32, kept bool) {\n\tkept = rand(seed, 0) < keep\n\ty = where(kept, max(x, 0), 0)\n\treturn\n}", "x > 0", "where(bit, where(float32(randbits(seed, 0) >> 8) * 5.9604645e-08 < keep, dy, 0), 0)"},
	} {
		p := MustParse(known.text)
		forward, backward := p.Saved("x")
		if forward.Err() != nil || backward.Err() != nil {
			t.Errorf("%s: %v, %v", known.text, forward.Err(), backward.Err())
			continue
		}
		if text := forward.String(); !strings.Contains(text, "bit = "+known.bit+"\n") && !strings.Contains(text, "bit_ = "+known.bit+"\n") {
			t.Errorf("%s:\n%s\nwant the bit %s", known.text, text, known.bit)
		}
		if text := backward.String(); !strings.Contains(text, "dx = "+known.dx+"\n") {
			t.Errorf("%s:\n%s\nwant dx = %s", known.text, text, known.dx)
		}
	}
}

// TestSavedRefused checks what has no pair, and why.
func TestSavedRefused(t *testing.T) {
	for _, known := range []struct{ text, want string }{
		{"silu(x) = x * sigmoid(x)", "expr: silu saves no bit of x: the derivative depends on its value, and not through comparisons alone; keep it for Backward"},
		{"f(x) = max(x, 0) * x", "depends on its value"},
		{"f(x) = 2*x", "expr: f saves no bit of x: the derivative does not depend on it; Backward ignores it, so there is nothing to save"},
		{"f(x) = floor(x)", "does not depend on it"},
		{"f(x) = where(x < 0, -x, where(x < 1, 2*x, x))", "expr: f saves no bit of x: the derivative has 3 values, of which a bit tells 2 apart; keep the argument for Backward"},
		{"f(x) = where(x < 1, 1, where(x < 2, 1, where(x < 3, 1, where(x < 4, 1, where(x < 5, 1, where(x < 6, 1, where(x < 7, x, 1)))))))", "depends on more than 6 comparisons; keep"},
		{"f(x) = where(x < 1 || x == 2 || x == 3 || x == 4 || x == 5 || x == 6 || x == 7 || x == 8, x, 1)", "depends on more than 6 comparisons; keep"},
		{"f(x) = x", "does not depend on it"},
	} {
		for _, p := range pair(MustParse(known.text).Saved("x")) {
			if err := p.Err(); err == nil || !strings.Contains(err.Error(), known.want) {
				t.Errorf("%s: %v, want %s", known.text, err, known.want)
			}
		}
	}
	for _, p := range pair(MustParse("f(x) = max(x, 0)").Saved("y")) {
		if p.Err() == nil || !strings.Contains(p.Err().Error(), "no argument y") {
			t.Errorf("of no argument: %v", p.Err())
		}
	}
}

func pair(forward, backward *Program) []*Program { return []*Program{forward, backward} }

// TestSavedRandom compares the pair with the program and its Backward, for random programs of
// which many are piecewise linear.
func TestSavedRandom(t *testing.T) {
	linear := map[ir.Op]bool{
		ir.NegF32: true, ir.AddF32: true, ir.SubF32: true, ir.MulF32: true, ir.FMA: true, ir.Abs: true, ir.Copysign: true, ir.Min: true, ir.Max: true,
		ir.WhereF32: true, ir.EqF32: true, ir.LtF32: true, ir.LeF32: true, ir.And: true, ir.Or: true, ir.Not: true, ir.LtU32: true, ir.RandBits: true,
	}
	pairs, both := 0, 0
	for seed := range uint64(20000) {
		r := rand.New(rand.NewPCG(seed, 3))
		p := &Program{ir: ir.Simplify(randprog.New(r, randprog.Options{Operations: 12, Allowed: func(op ir.Op) bool { return linear[op] }}))}
		for i, a := range p.Args() {
			forward, backward := p.Saved(a.Name)
			if a.Type != Float32 || forward.Err() != nil {
				continue
			}
			pairs++
			gradient := p.Backward(a.Name)
			seen := [2]bool{}
			for range 30 {
				seen[compareSaved(t, r, i, p, gradient, forward, backward)] = true
			}
			if seen == [2]bool{true, true} {
				both++
			}
			if t.Failed() {
				return
			}
		}
	}
	t.Logf("%d pairs, %d of them with both values of the bit", pairs, both)
	if pairs < 1000 || both < 300 {
		t.Errorf("only %d pairs, %d of them with both values of the bit", pairs, both)
	}
}

// compareSaved compares the pair for random arguments and returns the bit.
func compareSaved(t *testing.T, r *rand.Rand, arg int, p, gradient, forward, backward *Program) uint64 {
	index := r.Uint64()
	run := func(p *Program, args []uint64) []uint64 {
		values := make([]uint64, len(p.ir.Nodes))
		p.ir.Eval(values, index, args)
		var results []uint64
		for _, result := range p.ir.Results {
			results = append(results, values[result.Value])
		}
		return results
	}
	args := randprog.Args(r, gradient.ir) // the gradients, and those of p
	own := args[len(args)-len(p.ir.Args):]
	results := run(forward, own)
	for i, want := range run(p, own) {
		if !randprog.Same(p.ir.Nodes[p.ir.Results[i].Value].Type, results[i], want) {
			t.Errorf("%v\nof %#x: result %d of\n%v\nis %#x, want %#x", p, own, i, forward, results[i], want)
		}
	}
	want := run(gradient, args)[0]
	bit := results[len(results)-1]
	own[arg] = bit
	if got := run(backward, args)[0]; !randprog.Same(ir.F32, got, want) {
		t.Errorf("%v\n%v\nwith the bit %d of\n%v\nis\n%v\n%#x of %#x, want %#x", p, gradient, bit, forward, backward, got, args, want)
	}
	return bit
}
