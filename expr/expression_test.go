package expr

import (
	"strings"
	"testing"
)

// TestExpressionErrors checks what is no expression, and types that do not fit.
func TestExpressionErrors(t *testing.T) {
	refused(t, []mistake{
		{"f(x) = x.y", "1:8: x.y is not an expression"},
		{"f(x) = \"a\"", "1:8: \"a\" is not an expression"},
		{"f(x) = x * (x > 0)", "1:13: x > 0 is bool and should be float32; choose a number by it: where(x > 0, 1, 0)"},
		{"f(x) = where(x, 1, 2)", "1:14: x is float32 and should be bool"},
		{"f(x) = x > 0", "1:8: x > 0 is bool and should be float32"},
		{"f(x) = !x", "1:9: x is float32 and should be bool"},
		{"func f(x float32, u uint32) float32 { return x*u }", "1:48: u is uint32 and should be float32; convert it: float32(u)"},
		{"f(x) = 1/0", "1:8: the constant 1 is divided by zero"},
		{"f(x) = 1e39 * x", "1:8: the constant 1e+39 overflows float32"},
		{"f(x) = float32(uint32(-1))", "1:23: the constant -1 overflows uint32"},
		{"f(x) = float32(uint32(1.5))", "1:23: the constant 1.5 is not an integer"},
		{"f(x) = 1 << 1000", "1:8: the shift count 1000 is not in 0 to 512"},
		{"f(x) = 1 << 500 << 500", "1:8: the constant has more than 512 bits"},
		{"f(x) = true + 1", "1:8: the constants true and 1 have no operator +"},
		{"f(x) = !1", "1:8: the constant 1 has no operator !"},
		{"f(x) = float32(1) + uint32(1)", "1:21: uint32(1) is uint32 and should be float32"},
		{"f(x) = -z", "1:9: z is not declared"},
		{"f(x) = z + x", "1:8: z is not declared"},
		{"f(x) = x + z", "1:12: z is not declared"},
		{"f(x) = +(x > 0)", "1:8: + is not an operator"},
		{"f(x) = exp(z)", "1:12: z is not declared"},
		{"f(x) = x * " + "1" + strings.Repeat("0", 100), "overflows float32"},
		{"f(x) = 1" + strings.Repeat("0", 400), "1:8: the constant is too large"},
	})
}
