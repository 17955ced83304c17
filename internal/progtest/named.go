package progtest

import (
	"math"
	"math/rand/v2"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/values"
)

// The programs of Named.
var (
	adam = expr.MustParse(`func adam(w, m, v, g, rate, b1, b2, eps float32) (w2, m2, v2 float32) {
		m2 = b1*m + (1-b1)*g
		v2 = b2*v + (1-b2)*(g*g)
		w2 = w - rate*m2/(sqrt(v2)+eps)
		return
	}`)
	dropout = expr.MustParse(`func dropout(x, keep float32, seed, step uint32) (y float32, kept bool) {
		kept = rand(seed, step) < keep
		y = where(kept, x/keep, 0)
		return
	}`)
	mse       = expr.MustParse("mse(p, t) = 0.5 * ((p-t) * (p-t))")
	leakyReLU = expr.MustParse("leakyReLU(x, s) = where(x >= 0, x, s*x)")
	biasWhere = expr.MustParse("func biasWhere(x, b float32, c bool) (y float32) { return where(c, x+b, x) }")
	swish     = expr.MustParse("swish(x, beta) = x * sigmoid(beta*x)")
	biasGELU  = expr.MustParse("biasGELU(x, bias) = gelu(x + bias)")
	softplus  = expr.MustParse("softplusBeta(x, beta) = softplus(beta*x) / beta")
	softmax   = expr.MustParse("softmax(x, most, sum) = exp(x-most) / sum")
	chain     = expr.MustParse("chain(x, a, b) = fma(max(abs(fma(x*a+b, x, 0.5)) - x, b) * where(x > a, 2, -0.25), a, x) / 3 - sqrt(abs(x))")
)

// Named returns calls of programs that users write, on n elements, with operands apart and in
// place.
func Named(n int) []*Case {
	row := Arg{Address: kernel.Row, Floats: values.Normal(divisor(rand.New(rand.NewPCG(uint64(n), 9)), n), 7)}
	elements := func(seed uint64) Arg { return Arg{Floats: values.Normal(n, seed)} }
	scalar := func(v float32) Arg { return Arg{Address: kernel.Scalar, Scalar: math.Float32bits(v)} }
	word := func(v uint32) Arg { return Arg{Address: kernel.Scalar, Scalar: v} }
	squares := elements(3) // Adam takes the square root of v
	for i, v := range squares.Floats {
		squares.Floats[i] = v * v
	}
	special := Arg{Floats: values.Bits(n, 4)}
	copy(special.Floats, values.Special())
	mask := Arg{Address: kernel.Bit, Words: randomWords(rand.New(rand.NewPCG(uint64(n), 8)), n)}
	var list []*Case
	add := func(p *expr.Program, inPlace []int, args ...Arg) {
		apart := make([]int, len(inPlace))
		for i := range apart {
			apart[i] = -1
		}
		list = append(list, &Case{p, n, args, apart}, &Case{p, n, args, inPlace})
	}
	add(adam, []int{0, 1, 2}, elements(1), elements(2), squares, special, scalar(1e-3), scalar(0.9), scalar(0.999), scalar(1e-8))
	add(dropout, []int{0, -1}, special, scalar(0.8), word(12345), word(7))
	add(mse, []int{0}, elements(1), special)
	add(mse.Partial("p"), []int{1}, elements(1), special)
	add(mse.Backward("p"), []int{0}, elements(5), elements(1), special)
	add(leakyReLU, []int{0}, special, scalar(0.01))
	add(leakyReLU, []int{0}, special, row)
	add(biasWhere, []int{0}, special, row, mask)
	add(swish, []int{0}, special, scalar(1.5))
	add(swish.Backward("x"), []int{0}, elements(5), special, scalar(1.5))
	add(biasGELU, []int{0}, special, row)
	add(biasGELU.Backward("x"), []int{0}, elements(5), elements(6), row)
	add(softplus, []int{0}, special, scalar(2.5))
	add(softmax, []int{0}, elements(5), scalar(3), row)
	add(chain, []int{0}, special, scalar(0.75), row)
	return list
}

// Functions returns calls of each function, and of its derivative and gradient, on n elements.
func Functions(n int) []*Case {
	special := Arg{Floats: values.Bits(n, 4)}
	copy(special.Floats, values.Special())
	normal, dy := Arg{Floats: values.Normal(n, 5)}, Arg{Floats: values.Bits(n, 6)}
	for i := range normal.Floats {
		normal.Floats[i] *= 4
	}
	var list []*Case
	for _, op := range ir.Ops() {
		info := op.Info()
		if !info.Function {
			continue
		}
		f := expr.MustParse("f(x) = " + info.Name + "(x)")
		list = append(list,
			&Case{f, n, []Arg{special}, []int{-1}}, &Case{f, n, []Arg{normal}, []int{0}},
			&Case{f.Partial("x"), n, []Arg{normal}, []int{-1}}, &Case{f.Backward("x"), n, []Arg{dy, normal}, []int{0}})
	}
	return list
}
