package expr

import (
	"errors"
	"strings"
	"testing"
)

// TestParse parses both forms, and checks the canonical text.
func TestParse(t *testing.T) {
	for _, known := range []struct{ text, want string }{
		{"leakyReLU(x, s) = where(x >= 0, x, s*x)", "leakyReLU(x, s) = where(x >= 0, x, s * x)"},
		{"silu(x, beta) = x * sigmoid(beta*x)", "silu(x, beta) = x * sigmoid(beta * x)"},
		{"\n\tf ( x ) = // a comment\n\t\tx +\n\t\t1\n", "f(x) = x + 1"},
		{"func f(x float32) float32 { return 2*x }", "f(x) = 2 * x"},
		{"func1(x) = x", "func1(x) = x"},
		{"f() = 3", "f() = 3"},
		{"f(y) = 2*y", "f(y) = 2 * y"},
		{
			"func f(x float32) (float32, bool) { t := x*x; return t, t < 1 }",
			"func f(x float32) (y1 float32, y2 bool) {\n\ty1 = x * x\n\ty2 = y1 < 1\n\treturn\n}",
		},
		{
			"func f(a, b float32) (c, d float32) { a, b = b, a; a -= 1; c, d = a, b; return }",
			"func f(a, b float32) (c, d float32) {\n\tc = b - 1\n\td = a\n\treturn\n}",
		},
		{
			"func f(x float32) (y, z float32) { t := x/3; u := t - 1; y = t*u; z = y*u; return }",
			"func f(x float32) (y, z float32) {\n\tt1 := x / 3\n\tt2 := t1 - 1\n\ty = t1 * t2\n\tz = y * t2\n\treturn\n}",
		},
		{
			"func f(x float32, u uint32) (y uint32) { y = where(x != 1, u<<3|1, 7) &^ (^u) ; return }",
			"func f(x float32, u uint32) (y uint32) {\n\ty = where(x == 1, 7, u << 3 | 1) & ^(^u)\n\treturn\n}",
		},
		{
			"func f(c bool) uint32 { return where(c, uint32(1), 0) }",
			"func f(c bool) (y uint32) {\n\ty = where(c, uint32(1), 0)\n\treturn\n}",
		},
		{"f(x) = float32(+x) + +1", "f(x) = x + 1"},
		{"func f(x float32, u uint32, c bool) (y uint32) { y = where(bool(c), uint32(u), 1); y += 2; return }", "func f(x float32, u uint32, c bool) (y uint32) {\n\ty = where(c, u, 1) + 2\n\treturn\n}"},
		{"f(x) = -x - -1 - (1 - -x)", "f(x) = -x - -1 - (1 + x)"},
		{"f(a, b, c) = a - (b - c) - (a*b)/(c/a)", "f(a, b, c) = a - (b - c) - a * b / (c / a)"},
		{"f(x) = x + 0/-1.0 + frombits(0x80000000)", "f(x) = x + 0"},
		{"f(x) = copysign(x, -1) * (1/frombits(1<<31))", "f(x) = copysign(x, -1) * frombits(0xff800000)"},
		{"βeta(λ) = 2*λ", "βeta(λ) = 2 * λ"},
	} {
		p, err := Parse(known.text)
		if err != nil {
			t.Errorf("%s: %v", known.text, err)
			continue
		}
		if got := p.String(); got != known.want {
			t.Errorf("%s is\n%s\nwant\n%s", known.text, got, known.want)
		}
		if q, err := Parse(p.String()); err != nil || !q.Equal(p) {
			t.Errorf("%s: parsed again: %v, %v", known.text, q, err)
		}
	}
}

// TestParseErrors checks what is wrong with a text as a whole, where, and what was meant.
func TestParseErrors(t *testing.T) {
	refused(t, []mistake{
		{"", "1:1: the text is empty"},
		{"/* nothing */", "1:1: the text is empty"},
		{"func", "1:5: expected 'IDENT'"},
		{"f(x) = x +", "1:11: expected operand"},
		{"f(x) = x } func g() {", "1:12: expected ';'"},
		{"f(x) = x\ng(x) = x", "2:1: the text goes on"},
		{"func f(x float32) float32 { return x }\nvar y int", "2:1: the text goes on"},
		{"f = 2", "1:1: f is not name(arguments)"},
		{"f(x)", "1:1: this is not a program"},
		{"f(2) = 3", "1:3: 2 is not the name of an argument"},
		{"f(x...) = 3", "1:1: the number of arguments is fixed"},
		{"f(x, x) = x", "1:6: x is declared twice"},
		{"f(exp) = 1", "1:3: exp has a meaning"},
		{"f(_) = 1", "1:3: _ is not a name"},
		{"f.g(x) = 1", "1:1: f.g is not a name"},
		{"func f(x float64) float32 { return x }", "1:10: float64 is not a type of programs; did you mean float32?"},
		{"func f(x ...float32) float32 { return x }", "1:10: ...float32 is not a type"},
		{"func f(float32) float32 { return 1 }", "1:8: the argument has no name"},
		{"func f(x float32) { return }", "1:6: f returns nothing"},
		{"func f(x float32) float32", "1:6: f has no body"},
		{"func (r float32) f(x float32) float32 { return x }", "1:6: a program has no receiver"},
		{"func f[T any](x float32) float32 { return x }", "1:7: a program has no type parameters"},
		{strings.Repeat(" ", maxText+1), "the text has 65537 bytes, and may have 65536"},
		{"func f(x, x float32) float32 { return x }", "1:11: x is declared twice"},
		{"func f(x float32) (y, y float32) { return }", "1:23: y is declared twice"},
		{"func f(x float32) int { return x }", "1:19: int is not a type of programs; use float32, uint32 or bool"},
		{"f() = q", "1:7: q is not declared; the arguments are none"},
	})
}

// TestMustParse checks that a wrong text is a panic with the error.
func TestMustParse(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "1:8") {
			t.Errorf("recovered %v", err)
		}
	}()
	MustParse("f(x) = y")
}

// FuzzParse checks that Parse does not panic, and that the text of what it returns, and of its
// derivatives, is parsed to an equal program.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		"leakyReLU(x, s) = where(x >= 0, x, s*x)",
		"func f(x float32, u uint32, c bool) (y float32, k bool) {\n\tt := rand(u, 1<<3|u>>2)\n\tk = t < .5 && !c\n\ty = where(k, x/3, 0x1p-3)\n\treturn\n}",
		"f(x) = float32(uint32(x) &^ 7) + fma(x, 1e-3, -0.0)",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := Parse(text)
		if err != nil {
			if e := (*Error)(nil); !errors.As(err, &e) || e.Line < 1 || e.Column < 1 {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if err := p.ir.Check(); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if err := roundTrips(p.ir); err != nil {
			t.Fatalf("%q is\n%v\n%v", text, p, err)
		}
		for _, a := range p.Args() {
			if d := p.Backward(a.Name); d.Err() == nil {
				if err := roundTrips(d.ir); err != nil {
					t.Fatalf("%q: %v\n%v", text, d, err)
				}
			}
		}
	})
}
