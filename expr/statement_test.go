package expr

import "testing"

// TestStatementErrors checks what is wrong with the statements of a function.
func TestStatementErrors(t *testing.T) {
	refused(t, []mistake{
		{"func f(x float32) (y float32) { y = x }", "1:39: a return is missing"},
		{"func f(x float32) (y float32) { return }", "1:33: the result y has no value"},
		{"func f(x float32) (y, z float32) { return x }", "1:36: 1 values for 2 results"},
		{"func f(x float32) (y, z float32) { y, z = x; return }", "1:36: 1 values for 2 variables"},
		{"func f(x float32) (y float32) { y = z; return }", "1:37: z is not declared"},
		{"func f(x float32) (y float32) { y = y + x; return }", "1:37: y has no value yet"},
		{"func f(x float32) (y float32) { z = x; return }", "1:33: z is not declared; := declares it"},
		{"func f(x float32) (y float32) { y := x; return }", "1:33: no new variable"},
		{"func f(x float32) (y float32) { t := x; y = x; return }", "1:33: t is not used"},
		{"func f(x float32) (y float32) { x[0] = x; return }", "1:33: x[0] is not a variable"},
		{"func f(x float32) (y float32) { if x > 0 { y = x }; return }", "1:33: a program has no branches; use where"},
		{"func f(x float32) (y float32) { for { }; return }", "1:33: a program has no loops"},
		{"func f(x float32) (y float32) { var t float32; return }", "1:33: a program has no declarations"},
		{"func f(x float32) (y float32) { exp(x); return }", "1:33: the value is not used"},
		{"func f(x float32) (y float32) { x++; return }", "1:33: this is not a statement"},
		{"func f(x float32) (y float32) { return x; y = x }", "1:43: the program goes on"},
		{"func f(x float32) (y bool) { y = x\n\treturn }", "1:34: x is float32 and should be bool"},
		{"func f(x float32) (y float32) { return z }", "1:40: z is not declared"},
		{"func f(x float32) (y float32) { z += x; return }", "1:33: z is not declared; := declares it"},
		{"func f(x float32) (y float32) { y += x; return }", "1:33: y has no value yet"},
		{"func f(x float32) (y float32) { y = x; y += z; return }", "1:45: z is not declared"},
		{"func f(x float32) (y float32) { exp := x; return }", "1:33: exp has a meaning"},
	})
}
