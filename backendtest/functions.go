package backendtest

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/progtest"
)

// testFunctions runs programs with functions that users write.
func testFunctions(t *testing.T, b compute.Backend) {
	run, end := runner(t, b)
	defer end()
	longest := 20_001
	if testing.Short() {
		longest = 501
	}
	seed := 0
	check := func(p *expr.Program, addresses ...kernel.Address) {
		t.Helper()
		seed++
		c := &progtest.Case{Program: p, Over: []int{-1}}
		for _, a := range addresses {
			c.Args = append(c.Args, progtest.Arg{Address: a})
		}
		for n := range 5 {
			right(t, run, c.Of(random(seed, n), n))
		}
		right(t, run, c.Of(random(seed, 100), 300))
		c.Over[0] = 0
		right(t, run, c.Of(random(seed, 101), longest))
	}
	const element, row, col, scalar = kernel.Element, kernel.Row, kernel.Col, kernel.Scalar
	check(expr.MustParse("f(x) = exp(x)"), element) // some backends compute one alone in another way
	silu := expr.MustParse("silu(x, beta) = x * sigmoid(beta*x)")
	check(silu, element, scalar)
	check(silu.Backward("x"), element, element, scalar)
	check(expr.MustParse("biasGELU(x, b) = gelu(x+b)").Backward("x"), element, element, row)
	check(expr.MustParse("softmax(x, most, sum) = exp(x-most) / sum"), element, col, col)
	check(expr.MustParse("softplus2(x, beta) = softplus(beta*x) / beta"), element, scalar)
	check(expr.MustParse("gate(x, y, z) = sigmoid(x)*z + (1-sigmoid(x))*tanh(y)"), element, element, element)
}
