package expr_test

import (
	"fmt"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/values"
)

// TestCompositions: the functions with parameters of docs/correctly_rounded.md are as exact as
// it says, in units of 2^-24 times the real value.
func TestCompositions(t *testing.T) {
	const page = "../docs/correctly_rounded.md"
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	softplus := func(x float64) float64 { return max(x, 0) + math.Log1p(math.Exp(-math.Abs(x))) }
	for _, test := range []struct {
		text  string
		row   string // of the table, after the text: its bound
		real  func(x, p float64) float64
		bound func(x, p float64) float64
	}{
		{"elu(x, alpha) = where(x > 0, x, alpha*expm1(x))", "2",
			func(x, a float64) float64 {
				if x > 0 {
					return x
				}
				return a * math.Expm1(x)
			}, func(x, a float64) float64 { return 2 }},
		{"celu(x, alpha) = where(x > 0, x, alpha*expm1(x/alpha))", "3",
			func(x, a float64) float64 {
				if x > 0 {
					return x
				}
				return a * math.Expm1(x/a)
			}, func(x, a float64) float64 { return 3 }},
		{"swish(x, beta) = x * sigmoid(beta*x)", "2 + abs(beta\\*x)",
			func(x, b float64) float64 { return x / (1 + math.Exp(-b*x)) },
			func(x, b float64) float64 { return 2 + math.Abs(b*x) }},
		{"softplusBeta(x, beta) = softplus(beta*x) / beta", "2 + abs(beta\\*x)",
			func(x, b float64) float64 { return softplus(b*x) / b },
			func(x, b float64) float64 { return 2 + math.Abs(b*x) }},
	} {
		if row := fmt.Sprintf("| `%s` | %s |", test.text, test.row); !strings.Contains(string(text), row) {
			t.Errorf("%s has no row %s", page, row)
		}
		p := expr.MustParse(test.text)
		most := 0.0
		for i, x := range values.Normal(20_000, 1) {
			x *= []float32{1, 8, 40}[i%3]
			for _, parameter := range []float32{0.3, 1, 1.7} {
				y, err := p.Eval(x, parameter)
				if err != nil {
					t.Fatal(err)
				}
				want := test.real(float64(x), float64(parameter))
				if math.Abs(want) < 0x1p-126 || x*parameter < -87 {
					continue // subnormal numbers are less exact
				}
				e := math.Abs(float64(y[0].(float32))-want) / math.Abs(want) * 0x1p24
				bound := test.bound(float64(x), float64(parameter)) + 0.001 // for the products of errors
				if e > bound {
					t.Fatalf("%s of %v, %v: the error is %v, above %v", p.Name(), x, parameter, e, bound)
				}
				most = max(most, e/bound)
			}
		}
		if most < 0.5 {
			t.Errorf("%s: the errors are at most %v of the bound", p.Name(), most)
		}
	}
}
