package expr_test

import (
	"fmt"
	"log"

	"github.com/gmind-go/compute/expr"
)

func Example() {
	silu := expr.MustParse("silu(x, beta) = x * sigmoid(beta*x)")
	y, err := silu.Eval(float32(2), float32(1.5))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(y)
	fmt.Println(silu.Partial("x"))
	// Output:
	// [1.9051483]
	// func silu_dx(x, beta float32) (dydx float32) {
	// 	t1 := beta * x
	// 	dydx = sigmoid(t1) + x * (sigmoidPrime(t1) * beta)
	// 	return
	// }
}

// A step of Adam has three results.
func ExampleParse() {
	adam, err := expr.Parse(`func adam(w, m, v, g, rate, b1, b2, eps float32) (w2, m2, v2 float32) {
		m2 = b1*m + (1-b1)*g
		v2 = b2*v + (1-b2)*(g*g)
		w2 = w - rate*m2/(sqrt(v2)+eps)
		return
	}`)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(adam.Args())
	fmt.Println(adam.Results())
	// Output:
	// [{w float32} {m float32} {v float32} {g float32} {rate float32} {b1 float32} {b2 float32} {eps float32}]
	// [{w2 float32} {m2 float32} {v2 float32}]
}

func ExampleParse_error() {
	_, err := expr.Parse("f(x) = 2 * x + sigmod(x)")
	fmt.Println(err)
	// Output:
	// expr: 1:16: sigmod is not a function; did you mean sigmoid?
	// 	f(x) = 2 * x + sigmod(x)
	// 	               ^
}

// Dropout keeps an element with a probability, and says which it kept.
func ExampleProgram_EvalAt() {
	dropout := expr.MustParse(`func dropout(x, keep float32, seed, step uint32) (y float32, kept bool) {
		kept = rand(seed, step) < keep
		y = where(kept, x/keep, 0)
		return
	}`)
	for i := range uint64(4) {
		results, err := dropout.EvalAt(i, float32(1), float32(0.5), uint32(1), uint32(0))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(results)
	}
	// Output:
	// [0 false]
	// [2 true]
	// [2 true]
	// [0 false]
}

func ExampleProgram_Backward() {
	leakyReLU := expr.MustParse("leakyReLU(x, s) = where(x >= 0, x, s*x)")
	fmt.Println(leakyReLU.Backward("x"))
	// Output:
	// func leakyReLU_backward_dx(dy, x, s float32) (dx float32) {
	// 	dx = where(x >= 0, dy, dy * s)
	// 	return
	// }
}

func ExampleProgram_Partial() {
	mse := expr.MustParse("mse(p, t) = 0.5 * ((p-t) * (p-t))")
	gradient := mse.Partial("p")
	fmt.Println(gradient.Args(), gradient.Results())
	fmt.Println(gradient.Eval(float32(3), float32(1)))
	// Output:
	// [{p float32} {t float32}] [{dydp float32}]
	// [2] <nil>
}

// A program whose derivative is 0 where it is not wanted gets another: the straight-through
// estimator passes gradients through rounding.
func ExampleProgram_WithPartial() {
	round := expr.MustParse("round(x) = rint(x)")
	fmt.Println(round.Backward("x").Eval(float32(3), float32(0.7)))
	round = round.WithPartial("x", expr.MustParse("straight(x) = 1"))
	fmt.Println(round.Backward("x").Eval(float32(3), float32(0.7)))
	// Output:
	// [0] <nil>
	// [3] <nil>
}

// A polynomial of any degree, by Horner's scheme.
func ExampleBuilder() {
	b := expr.NewBuilder("poly")
	x := b.Arg("x", expr.Float32)
	y := b.Float32(3)
	for _, c := range []float32{0.25, 0.5, 1} {
		y = b.Op("fma", y, x, b.Float32(c))
	}
	b.Result("y", y)
	p, err := b.Program()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p)
	// Output: poly(x) = fma(fma(fma(3, x, 0.25), x, 0.5), x, 1)
}

// A ReLU6 whose input is not kept for the gradient, but a bit of it.
func ExampleProgram_Saved() {
	relu6 := expr.MustParse("relu6(x) = min(max(x, 0), 6)")
	forward, backward := relu6.Saved("x")
	fmt.Println(forward)
	fmt.Println(backward)
	// Output:
	// func relu6_bit_dx(x float32) (y float32, bit bool) {
	// 	t1 := max(x, 0)
	// 	y = min(t1, 6)
	// 	bit = t1 < 6 && x > 0
	// 	return
	// }
	// func relu6_backward_bit_dx(dy float32, bit bool) (dx float32) {
	// 	dx = where(bit, dy, 0)
	// 	return
	// }
}
