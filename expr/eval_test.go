package expr

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/threefry"
)

// TestEval evaluates programs of all types.
func TestEval(t *testing.T) {
	for _, known := range []struct {
		text string
		args []any
		want string
	}{
		{"f(x, s) = where(x >= 0, x, s*x)", []any{float32(-2), float32(0.25)}, "[-0.5]"},
		{"func f(u, v uint32) (a, b, c, d uint32, e bool) { a = u-v; b = u*v; c = ^u; d = u&^v|v>>1^u<<31; e = u <= v; return }", []any{uint32(3), uint32(5)}, "[4294967294 15 4294967292 2147483650 true]"},
		{"func f(c, d bool) (a, b, e, g bool) { a = c && !d; b = c || d; e = c == d; g = where(c, d, true); return }", []any{true, false}, "[true true false false]"},
		{"func f(x float32) (a float32, b uint32, c uint32) { a = rint(x) + floor(x) - ceil(x)*trunc(x); b = uint32(x); c = bits(x); return }", []any{float32(2.5)}, "[-2 2 1075838976]"},
		{"func f(u uint32) (a, b uint32, c, d bool) { a = max(u, 7); b = min(u, 7); c = u != 7; d = u > 7 || u < 3; return }", []any{uint32(9)}, "[9 7 true true]"},
		{"f(x) = tanh(x) + sigmoid(x)", []any{float32(0.5)}, "[1.0845765]"},
	} {
		got, err := MustParse(known.text).Eval(known.args...)
		if err != nil || fmt.Sprint(got) != known.want {
			t.Errorf("%s of %v is %v, %v, want %s", known.text, known.args, got, err, known.want)
		}
	}
}

// TestRounding checks that a product and a sum are rounded apart, and that constants are exact
// until they are rounded once.
func TestRounding(t *testing.T) {
	x := float32(0x1.000002p0)
	if got := one(t, MustParse("f(x, y) = x*x - y"), x, float32(0x1.000004p0)); got != 0 {
		t.Errorf("x*x - y is contracted: %v", got)
	}
	if got := one(t, MustParse("f(x, y) = fma(x, x, -y)"), x, float32(0x1.000004p0)); got != 0x1p-46 {
		t.Errorf("fma is rounded twice: %v", got)
	}
	for text, want := range map[string]float32{
		"f() = 16777216 + 1 + 1":                   16777218,
		"f() = 1e300 * 1e-300":                     1,
		"f() = 1/3":                                0, // as in Go
		"f() = 1/3.0":                              1.0 / 3,
		"f() = 7/2*2":                              6,
		"f() = float32(7)/2":                       3.5,
		"f() = float32(16777217)":                  16777216,
		"f() = float32(16777216) + float32(1) + 1": 16777216,
		"f() = 0x1p-150":                           0,
		"f() = 1 << 20":                            1 << 20,
		"f() = -7 >> 1":                            -4,
		"f() = float32(^uint32(0) >> 31)":          1,
		"f() = float32(7 & 12 | 1 ^ 3 &^ 2)":       4 | 1 ^ 1,
		"f() = where(2 > 1.5 && !(1 == 2), 3, 4)":  3,
	} {
		if got := one(t, MustParse(text)); got != want {
			t.Errorf("%s is %v, want %v", text, got, want)
		}
	}
}

// TestRand checks that a random number depends on the key and the index, as threefry has it.
func TestRand(t *testing.T) {
	p := MustParse("func f(seed, step uint32) (y float32, u uint32) { y = rand(seed, step); u = randbits(seed, step); return }")
	for _, index := range []uint64{0, 1, 1 << 32, math.MaxUint64} {
		got, err := p.EvalAt(index, uint32(7), uint32(9))
		word, _ := threefry.Block(7, 9, uint32(index), uint32(index>>32))
		if want := []any{float32(word>>8) / (1 << 24), word}; err != nil || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("element %d: %v, %v, want %v", index, got, err, want)
		}
	}
	at0, err := p.Eval(uint32(7), uint32(9))
	if at, _ := p.EvalAt(0, uint32(7), uint32(9)); err != nil || at0[1] != at[1] {
		t.Errorf("Eval gives %v, %v, and EvalAt %v", at0, err, at)
	}
}

// TestEvalErrors checks that wrong arguments are refused.
func TestEvalErrors(t *testing.T) {
	p := MustParse("func f(x float32, u uint32) float32 { return x * float32(u) }")
	for _, known := range []struct {
		args []any
		want string
	}{
		{nil, "f has 2 arguments and not 0"},
		{[]any{float32(1), 2}, "the argument u of f is int and should be uint32"},
		{[]any{true, uint32(2)}, "the argument x of f is bool and should be float32"},
	} {
		if got, err := p.Eval(known.args...); err == nil || !strings.Contains(err.Error(), known.want) {
			t.Errorf("%v, %v, want %s", got, err, known.want)
		}
	}
}
