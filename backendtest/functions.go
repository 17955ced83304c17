package backendtest

import (
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/libm"
	"github.com/gmind-go/compute/internal/progtest"
)

// testFunctions runs every function alone, which some backends compute in another way, and
// programs that users write of them, with their derivatives.
func testFunctions(t *testing.T, b compute.Backend) {
	run, end := runner(t, b)
	defer end()
	longest := 20_001
	if testing.Short() {
		longest = 501
	}
	const element, row, col, scalar = kernel.Element, kernel.Row, kernel.Col, kernel.Scalar
	check := func(i int, p *expr.Program, addresses ...kernel.Address) {
		t.Helper()
		if !ready(p) {
			return
		}
		c := &progtest.Case{Program: p, Over: []int{-1}}
		for _, a := range addresses {
			c.Args = append(c.Args, progtest.Arg{Address: a})
		}
		for n := range 5 {
			right(t, run, c.Of(random(i, n), n))
		}
		right(t, run, c.Of(random(i, 100), 300))
		c.Over[0] = 0
		right(t, run, c.Of(random(i, 101), longest))
	}
	for op := ir.Exp; op <= ir.SoftsignPrime; op++ {
		check(int(op), expr.MustParse("f(x) = "+op.Info().Name+"(x)"), element)
	}
	silu := expr.MustParse("silu(x, beta) = x * sigmoid(beta*x)")
	check(100, silu, element, scalar)
	check(101, silu.Partial("beta"), element, row)
	check(102, silu.Backward("x"), element, element, scalar)
	gelu := expr.MustParse("biasGELU(x, b) = gelu(x+b)")
	check(103, gelu, element, row)
	check(104, gelu.Backward("x"), element, element, row)
	check(105, expr.MustParse("softmax(x, most, sum) = exp(x-most) / sum"), element, col, col)
	check(106, expr.MustParse("softplus2(x, beta) = softplus(beta*x) / beta"), element, scalar)
	check(107, expr.MustParse("crossEntropy(p, t) = where(t > 0, t*-log(p), 0)"), element, element)
	check(108, expr.MustParse("gate(x, y, z) = sigmoid(x)*z + (1-sigmoid(x))*tanh(y)"), element, element, element)
}

// ready reports whether all functions of p have a body.
func ready(p *expr.Program) bool {
	for _, n := range p.IR().Nodes {
		if n.Op.Info().Function && libm.Body(n.Op) == nil {
			return false
		}
	}
	return true
}
