package expr

import (
	"math"
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/ir"
)

// TestParentheses checks that parentheses stand where the structure needs them, and nowhere
// else.
func TestParentheses(t *testing.T) {
	for _, text := range []string{
		"a - b - c", "a - (b - c)", "a / b * c", "a / (b * c)", "(a + b) * c", "a + b * c", "-(a + b)", "-a * b", "-(a * b)",
		"a - -b * c", "-2 * a", "a - -2", "abs(a) + exp(b + c)", "where(a < b == (b < c), a, b)",
		"where(!(a < b), a, c + 1)", "where(a < b && b < c || c < a, a, b)", "where(a < b && (b < c || c < a), a, b)",
		"float32(uint32(a) << 2 + 1)", "float32(uint32(a) << 2 & 5 | 6 ^ ^uint32(b))", "where(!(a < b && b < c), a, b)",
	} {
		p, err := Parse("f(a, b, c) = " + text)
		if err != nil {
			t.Error(err)
			continue
		}
		again, err := Parse(p.String())
		if err != nil || !again.Equal(p) {
			t.Errorf("%s is %v and then %v, %v", text, p, again, err)
		}
		if kept := !strings.Contains(text, "where") && !strings.Contains(text, "-2") && !strings.Contains(text, "- -b"); kept && p.String() != "f(a, b, c) = "+text {
			t.Errorf("%s is %v", text, p)
		}
	}
}

// TestConstantText checks that every constant is written so that it is parsed to the same bits.
func TestConstantText(t *testing.T) {
	for _, bits := range []uint64{0, 1 << 31, 1, 1<<31 | 1, 0x7fffff, 0x800000, 0x3f800000, 0x3eaaaaab, 0x4b800001, 0x7f7fffff, 0x7f800000, 0xff800000, 0x7fc00000} {
		b := &ir.Builder{}
		b.Result("y", b.Const(ir.F32, bits))
		p := &Program{ir: b.Program("f")}
		q, err := Parse(p.String())
		if err != nil {
			t.Errorf("%v: %v", p, err)
		} else if got := uint64(math.Float32bits(one(t, q))); got != bits {
			t.Errorf("%#x became %#x by %v", bits, got, p)
		}
	}
}

// TestLocalNames checks that local variables get names that are free.
func TestLocalNames(t *testing.T) {
	p := MustParse("func f(t1, x float32) (t3 float32) { a := t1/x; b := a*x; t3 = exp(a) + exp(b)*b; return }")
	want := "func f(t1, x float32) (t3 float32) {\n\tt2 := t1 / x\n\tt4 := t2 * x\n\tt3 = exp(t2) + exp(t4) * t4\n\treturn\n}"
	if got := p.String(); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
