package expr

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/diff/fd"

	"github.com/gmind-go/compute/internal/ir"
)

// TestDerivatives checks what derivatives are, by their text.
func TestDerivatives(t *testing.T) {
	for _, known := range []struct{ text, partial, backward string }{
		{"leakyReLU(x, s) = where(x >= 0, x, s*x)", "where(x >= 0, 1, s)", "where(x >= 0, dy, dy * s)"},
		{"relu(x) = max(x, 0)", "where(x > 0, 1, 0)", "where(x > 0, dy, 0)"},
		{"relu6(x) = min(max(x, 0), 6)", "where(max(x, 0) < 6, where(x > 0, 1, 0), 0)", "where(max(x, 0) < 6, where(x > 0, dy, 0), 0)"},
		{"f(x) = x", "1", "dy"},
		{"f(x, y) = y", "0", "0"},
		{"f(x) = floor(x) + float32(uint32(x)) + float32(bits(x)) + rint(x)", "0", "0"},
		{"f(x, y) = x + y", "1", "dy_"},
		{"f(x, y) = y - x", "-1", "-dy_"},
		{"f(x, y) = x*y", "y", "dy_ * y"},
		{"f(x) = x*x", "2 * x", "dy * (2 * x)"},
		{"f(x, y) = x/y", "1 / y", "dy_ * (1 / y)"},
		{"f(x, y) = y/x", "-(y / x) / x", "dy_ * (-(y / x) / x)"},
		{"f(x, y) = fma(x, y, 1)", "y", "dy_ * y"},
		{"f(x, y) = fma(y, y, x)", "1", "dy_"},
		{"f(x) = -x", "-1", "-dy"},
		{"f(x) = abs(x)", "where(x < 0, -1, 1)", "where(x < 0, -dy, dy)"},
		{"f(x) = 2*where(x > 1, x, 3)", "where(x > 1, 2, 0)", "where(x > 1, dy * 2, 0)"},
		{"f(x, y) = y*max(x, 0)", "where(x > 0, y, 0)", "where(x > 0, dy_ * y, 0)"},
		{"f(x, y) = -max(x, 0)/y", "where(x > 0, -1 / y, 0)", "where(x > 0, dy_ * (-1 / y), 0)"},
		{"f(x) = copysign(x, -1)", "where(bits(x) ^ 3212836864 < 2147483648, 1, -1)", "where(bits(x) ^ 3212836864 < 2147483648, dy, -dy)"},
		{"f(x) = exp(2*x)", "exp(2 * x) * 2", "dy * (exp(2 * x) * 2)"},
		{"f(x, y) = log(x)", "1 / x", "dy_ * (1 / x)"},
		{"f(x) = logSigmoid(x)", "sigmoid(-x)", "dy * sigmoid(-x)"},
		{"f(x) = where(x > 20, x, log(1+exp(x)))", "where(x > 20, 1, t1 / (1 + t1))", "where(x > 20, dy, dy * (t1 / (1 + t1)))"},
	} {
		p := MustParse(known.text)
		for _, d := range []struct {
			p    *Program
			want string
		}{{p.Partial("x"), known.partial}, {p.Backward("x"), known.backward}} {
			want := strings.ReplaceAll(d.want, "dy_", "d"+p.Results()[0].Name)
			line := " = " + want
			if got := d.p.String(); !strings.HasSuffix(got, line) && !strings.Contains(got, line+"\n") {
				t.Errorf("%s: %v\nwant %s", known.text, got, want)
			}
		}
	}
}

// TestBackwardNames checks the arguments and results of gradients of several results, and that
// names stay different.
func TestBackwardNames(t *testing.T) {
	p := MustParse("func f(x, dx float32, u uint32) (a float32, k bool, b float32) {\n\ta = x*dx\n\tk = u > 1\n\tb = x + dx\n\treturn\n}")
	for _, known := range []struct {
		p    *Program
		want string
	}{
		{p.Partial("x"), "func f_dx(x, dx float32, u uint32) (dadx, dbdx float32) {\n\tdadx = dx\n\tdbdx = 1\n\treturn\n}"},
		{p.Backward("x"), "func f_backward_dx(da, db, x, dx float32, u uint32) (dx_ float32) {\n\tdx_ = da * dx + db\n\treturn\n}"},
		{p.Backward("dx"), "func f_backward_ddx(da, db, x, dx float32, u uint32) (ddx float32) {\n\tddx = da * x + db\n\treturn\n}"},
	} {
		if got := known.p.String(); got != known.want {
			t.Errorf("%s\nwant\n%s", got, known.want)
		}
	}
}

// TestLeakyReLU compares with the formulas of the activation, bit for bit.
func TestLeakyReLU(t *testing.T) {
	p := MustParse("leakyReLU(x, s) = where(x >= 0, x, s*x)")
	partial, backward := p.Partial("x"), p.Backward("x")
	inf := float32(math.Inf(1))
	values := []float32{0, float32(math.Copysign(0, -1)), 1, -1, 0x1p-149, -0x1p-149, inf, -inf, float32(math.NaN()), 1e38, -1e38}
	same := func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) || x != x && y != y }
	for _, x := range values {
		for _, s := range []float32{0, 0.01, -2, 3} {
			y, d := s*x, s
			if x >= 0 {
				y, d = x, 1
			}
			if got := one(t, p, x, s); !same(got, y) {
				t.Errorf("f(%v, %v) = %v, want %v", x, s, got, y)
			}
			if got := one(t, partial, x, s); !same(got, d) {
				t.Errorf("f'(%v, %v) = %v, want %v", x, s, got, d)
			}
			for _, dy := range values {
				want := s * dy
				if x >= 0 {
					want = dy
				}
				if got := one(t, backward, dy, x, s); !same(got, want) {
					t.Errorf("backward(%v, %v, %v) = %v, want %v", dy, x, s, got, want)
				}
			}
		}
	}
}

// one returns the only result, a float32.
func one(t *testing.T, p *Program, args ...any) float32 {
	t.Helper()
	results, err := p.Eval(args...)
	if err != nil {
		t.Fatal(err)
	}
	return results[0].(float32)
}

// TestFiniteDifferences compares the first and second derivative of each function, and of some
// compositions, with finite differences in float64.
func TestFiniteDifferences(t *testing.T) {
	sigmoid := func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }
	all := []float64{-6, -2.5, -1, -0.3, 0.2, 0.7, 1.9, 4.3}
	positive := all[4:]
	tried := map[string]bool{}
	for _, known := range []struct {
		text string
		f    func(x float64) float64
		at   []float64
	}{
		{"exp(x)", math.Exp, all},
		{"expm1(x)", math.Expm1, all},
		{"log(x)", math.Log, positive},
		{"log1p(x)", math.Log1p, all[3:]},
		{"tanh(x)", math.Tanh, all},
		{"sigmoid(x)", sigmoid, all},
		{"logSigmoid(x)", func(x float64) float64 { return math.Log(sigmoid(x)) }, all},
		{"erf(x)", math.Erf, all},
		{"softplus(x)", func(x float64) float64 { return math.Log1p(math.Exp(x)) }, all},
		{"silu(x)", func(x float64) float64 { return x * sigmoid(x) }, all},
		{"gelu(x)", func(x float64) float64 { return x * math.Erfc(-x/math.Sqrt2) / 2 }, all},
		{"geluTanh(x)", func(x float64) float64 {
			return x * (1 + math.Tanh(math.Sqrt(2/math.Pi)*(x+0.044715*x*x*x))) / 2
		}, all},
		{"mish(x)", func(x float64) float64 { return x * math.Tanh(math.Log1p(math.Exp(x))) }, all},
		{"softsign(x)", func(x float64) float64 { return x / (1 + math.Abs(x)) }, all},
		{"x*x*x - 2/x", func(x float64) float64 { return x*x*x - 2/x }, []float64{-6, -2.5, -1, 1.9, 4.3}},
		{"sqrt(x)", math.Sqrt, positive},
		{"fma(x, x, exp(x)*sqrt(abs(x)))", func(x float64) float64 { return x*x + math.Exp(x)*math.Sqrt(math.Abs(x)) }, all},
		{"min(x, 1)*max(-1, x)", func(x float64) float64 { return math.Min(x, 1) * math.Max(-1, x) }, []float64{-6, -2.5, -0.3, 0.2, 0.7, 1.9}},
		{"copysign(x*x, x)", func(x float64) float64 { return x * math.Abs(x) }, all},
		{"where(x < 0, x*x, sigmoid(2*x))", func(x float64) float64 {
			if x < 0 {
				return x * x
			}
			return sigmoid(2 * x)
		}, all},
	} {
		p := MustParse("f(x) = " + known.text)
		first := p.Partial("x")
		second := first.Partial("x")
		for _, q := range []*Program{p, first, second} {
			for _, n := range q.ir.Nodes {
				tried[n.Op.Info().Name] = true
			}
		}
		for _, x64 := range known.at {
			x := float32(x64)
			f := func(y float64) float64 { return known.f(y) }
			check := func(d *Program, want, tolerance float64) {
				if got := float64(one(t, d, x)); !(math.Abs(got-want) <= tolerance*max(1, math.Abs(want))) {
					t.Errorf("%v at %v: %v, want %v", d, x, got, want)
				}
			}
			check(first, fd.Derivative(f, float64(x), &fd.Settings{Formula: fd.Central, Step: 1e-5}), 2e-6)
			check(second, fd.Derivative(f, float64(x), &fd.Settings{Formula: fd.Central2nd, Step: 1e-3}), 2e-5)
		}
	}
	for _, op := range ir.Ops() {
		if info := op.Info(); info.Function && !tried[info.Name] {
			t.Errorf("%s is not tried", info.Name)
		}
	}
}

// TestSecondDerivativeFar checks that no second derivative of a function is NaN.
func TestSecondDerivativeFar(t *testing.T) {
	for _, op := range ir.Ops() {
		info := op.Info()
		if !info.Function {
			continue
		}
		d := MustParse("f(x) = " + info.Name + "(x)").Partial("x").Partial("x")
		for _, x := range []float32{0, 20, 130, 1e10, math.MaxFloat32, float32(math.Inf(1))} {
			for _, x := range []float32{x, -x} {
				negative := x < -1 && strings.HasPrefix(info.Name, "log1p") || x <= 0 && info.Name == "log"
				if got := one(t, d, x); got != got && !negative {
					t.Errorf("%v is NaN at %v", d, x)
				}
			}
		}
	}
}

// TestWithPartial checks that a derivative given by hand is what Partial and Backward return,
// and that a 0 or 1 in its selects is not multiplied by.
func TestWithPartial(t *testing.T) {
	p := MustParse("f(x, s) = floor(x) * s")
	q := MustParse("straight(x, s) = where(x > 0, 1, where(x < -1, 0, s))")
	r := p.WithPartial("x", q)
	if !r.Equal(p) || r.Partial("x") != q || !p.Partial("x").Equal(MustParse("func f_dx(x, s float32) (dydx float32) { dydx = 0; return }")) {
		t.Errorf("%v has the derivative %v, %v has %v", r, r.Partial("x"), p, p.Partial("x"))
	}
	if got, want := r.Backward("x").String(), "where(x > 0, dy, where(x < -1, 0, dy * s))"; !strings.Contains(got, want) {
		t.Errorf("%s, want %s", got, want)
	}
	if got := r.Backward("s").String(); !strings.Contains(got, "dy * floor(x)") {
		t.Errorf("the derivative with respect to s is %s", got)
	}
	for _, q := range []*Program{nil, {}, MustParse("g(x) = x"), MustParse("func g(x, s float32) uint32 { return bits(x*s) }")} {
		if err := p.WithPartial("x", q).Err(); err == nil {
			t.Errorf("%v is a derivative", q)
		}
	}
	if err := p.WithPartial("t", q).Err(); err == nil || !strings.Contains(err.Error(), "no argument t") {
		t.Errorf("err is %v", err)
	}
}

// TestDerivativeErrors checks that a derivative that does not exist is an error, which whatever
// is made of it keeps.
func TestDerivativeErrors(t *testing.T) {
	p := MustParse("func f(rate float32, u uint32) (y float32) { return rate * float32(u) }")
	for _, known := range []struct {
		p    *Program
		want string
	}{
		{p.Partial("rtae"), "expr: f has no argument rtae; did you mean rate?"},
		{p.Backward("u"), "expr: the argument u of f is uint32; there are derivatives with respect to float32 only"},
		{MustParse("func f(x float32) bool { return x > 0 }").Partial("x"), "expr: f has no result of type float32, so it has no derivative"},
		{(&Program{}).Partial("x"), "expr: the zero Program is no program; use Parse or Builder"},
		{p.Partial("x").Backward("y").Partial("z"), "expr: f has no argument x"},
	} {
		if got := known.p.Err(); got == nil || got.Error() != known.want || known.p.String() != known.want {
			t.Errorf("%v, want %v", got, known.want)
		}
		if _, err := known.p.Eval(); err == nil || err.Error() != known.want {
			t.Errorf("Eval: %v", err)
		}
		if known.p.Args() != nil || known.p.Results() != nil || known.p.Name() != "" || known.p.IR() != nil {
			t.Errorf("%v has parts", known.p)
		}
	}
}
