package expr

import "testing"

// TestResolveErrors checks names and operands that do not fit.
func TestResolveErrors(t *testing.T) {
	refused(t, []mistake{
		{"f(x) = 2 * x + sigmod(x)", "1:16: sigmod is not a function; did you mean sigmoid?"},
		{"f(x) = Sigmoid(x)", "1:8: Sigmoid is not a function; did you mean sigmoid?"},
		{"f(x) = zzz(x)", "1:8: zzz is not a function\n"},
		{"f(rate) = rtae", "1:11: rtae is not declared; did you mean rate?"},
		{"f(x, s) = q", "1:11: q is not declared; the arguments are s, x"},
		{"f(x) = exp", "1:8: exp is a function"},
		{"f(x) = x(2)", "1:8: x is a variable and not a function"},
		{"f(x) = exp(x, x)", "1:8: exp(a) has 2 operands here"},
		{"f(x) = exp(x...)", "1:8: the number of operands is fixed"},
		{"f(x) = x.y()", "1:8: x.y is not a function"},
		{"f(x) = x % 2", "1:8: % is not an operator"},
		{"f(x) = float32(uint32(x) << 32)", "1:29: the shift count 32 is not in 0 to 31"},
		{"f(x) = float32(uint32(x) << uint32(x))", "1:29: uint32(x) is not a constant"},
	})
}
