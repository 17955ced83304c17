package compute_test

import (
	"context"
	"fmt"
	"log"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/gpu"
)

// The examples of this file are the cookbook of docs/programs.md, which shows their programs
// and calls. run computes a program on slices: on the GPU if there is one, else on the CPU.
func run(p *expr.Program, args ...compute.Arg) {
	b, err := compute.Open(gpu.Open, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	if err := b.RunSlices(context.Background(), p, args...); err != nil {
		log.Fatal(err)
	}
}

func Example_relu6() {
	relu6 := expr.MustParse("relu6(x) = min(6, max(0, x))")
	x := compute.Slice{-2, 0.5, 6, 8}
	run(relu6, x, x)
	fmt.Println(x)
	// Output: [0 0.5 6 6]
}

func Example_hardSigmoid() {
	hardSigmoid := expr.MustParse("hardSigmoid(x) = min(6, max(0, x+3)) / 6")
	x := compute.Slice{-4, -1.5, 0, 5}
	run(hardSigmoid, x, x)
	fmt.Println(x)
	// Output: [0 0.25 0.5 1]
}

func Example_hardSwish() {
	hardSwish := expr.MustParse("hardSwish(x) = x * min(6, max(0, x+3)) / 6")
	x, y := compute.Slice{-1.5, 0, 1.5, 8}, make(compute.Slice, 4)
	run(hardSwish, y, x)
	dy := compute.Slice{1, 2, 2, -4}
	run(hardSwish.Backward("x"), dy, dy, x)
	fmt.Println(y, dy)
	// Output: [-0.375 0 1.125 8] [0 1 2 -4]
}

func Example_softShrink() {
	softShrink := expr.MustParse("softShrink(x, l) = where(x > l, x-l, where(x < -l, x+l, 0))")
	x := compute.Slice{-2, -0.25, 0.5, 3}
	run(softShrink, x, x, compute.F32(0.5))
	fmt.Println(x)
	// Output: [-1.5 0 0 2.5]
}

func Example_prelu() {
	prelu := expr.MustParse("prelu(x, slope) = where(x > 0, x, slope*x)")
	x := compute.Slice{ // two rows of three channels
		-2, -2, 2,
		-4, 4, -4,
	}
	slope := compute.Slice{0.5, 0.25, -1}
	dy := compute.Slice{
		1, 2, 3,
		4, 5, 6,
	}
	y, ds := make(compute.Slice, 6), make(compute.Slice, 6)
	run(prelu, y, x, compute.Row(slope))
	run(prelu.Backward("slope"), ds, dy, x, compute.Row(slope))
	run(prelu.Backward("x"), dy, dy, x, compute.Row(slope))
	dslope := make([]float32, len(slope))
	for i, d := range ds {
		dslope[i%len(slope)] += d
	}
	fmt.Println(y, dy, dslope)
	// Output: [-1 -0.5 2 -2 4 4] [0.5 0.5 3 2 5 -6] [-18 -4 -24]
}

func Example_swish() {
	swish := expr.MustParse("swish(x, beta) = x * sigmoid(beta*x)")
	x, y := compute.Slice{-2, -0.5, 0, 3}, make(compute.Slice, 4)
	run(swish, y, x, compute.F32(2))
	dy := compute.Slice{1, 2, 2, -4}
	run(swish.Backward("x"), dy, dy, x, compute.F32(2))
	fmt.Println(y, dy)
	// Output: [-0.03597242 -0.13447072 0 2.992582] [-0.052664615 0.14465901 1 -4.0493054]
}

func Example_biasGELU() {
	biasGELU := expr.MustParse("biasGELU(x, bias) = gelu(x + bias)")
	x, bias := compute.Slice{-2, -0.5, 0, 3}, compute.Slice{1, -1}
	run(biasGELU, x, x, compute.Row(bias))
	fmt.Println(x)
	// Output: [-0.15865526 -0.1002108 0.8413448 1.9544997]
}

func Example_elu() {
	elu := expr.MustParse("elu(x, alpha) = where(x > 0, x, alpha*expm1(x))")
	x := compute.Slice{-2, -1e-8, 0, 3}
	run(elu, x, x, compute.F32(1))
	fmt.Println(x)
	// Output: [-0.86466473 -1e-08 0 3]
}

func Example_softplusBeta() {
	softplusBeta := expr.MustParse("softplusBeta(x, beta) = softplus(beta*x) / beta")
	x := compute.Slice{-8, -0.5, 0, 3}
	run(softplusBeta, x, x, compute.F32(2))
	fmt.Println(x)
	// Output: [5.6267584e-08 0.15663084 0.3465736 3.0012379]
}

func Example_dropout() {
	dropout := expr.MustParse(`func dropout(x, keep float32, seed, step uint32) (y float32, kept bool) {
		kept = rand(seed, step) < keep
		y = where(kept, x*(1/keep), 0)
		return
	}`)
	backward := expr.MustParse(`func backward(dy, keep float32, kept bool) (dx float32) {
		return where(kept, dy*(1/keep), 0)
	}`)
	x, dy, kept := compute.Slice{1, 2, 3, -4}, compute.Slice{5, 6, -7, 8}, make(compute.Words, 1)
	keep, seed, step := compute.F32(0.5), compute.U32(1), compute.U32(0)
	run(dropout, x, kept, x, keep, seed, step)
	run(backward, dy, dy, keep, kept)
	fmt.Println(x, dy)
	fmt.Printf("%04b\n", kept[0])
	// Output:
	// [0 4 6 0] [0 12 -14 0]
	// 0110
}

func Example_noise() {
	noise := expr.MustParse(`func noise(x, scale float32, seed, step uint32) (y float32) {
		return x + scale*(rand(seed, step)-0.5)
	}`)
	x := compute.Slice{1, 2, 3, -4}
	seed, step := compute.U32(1), compute.U32(0)
	run(noise, x, x, compute.F32(0.5), seed, step)
	fmt.Println(x)
	// Output: [1.1019719 1.7788575 2.7550576 -3.7867084]
}

func Example_layerNorm() {
	layerNorm := expr.MustParse("layerNorm(x, mean, variance, gain, bias, eps) = (x-mean)/sqrt(variance+eps)*gain + bias")
	x := compute.Slice{ // two rows of three features
		1, 2, 3,
		-4, 0, 4,
	}
	mean, variance := compute.Col(compute.Slice{2, 0}), compute.Col(compute.Slice{0.1875, 15.9375}) // of each row
	gain, bias := compute.Row(compute.Slice{1, 0.5, 2}), compute.Row(compute.Slice{0, 1, -1})       // of each feature
	eps := compute.F32(0.0625)
	run(layerNorm, x, x, mean, variance, gain, bias, eps)
	fmt.Println(x)
	// Output: [-2 1 3 -1 1 1]
}

func Example_bias() {
	biasReLU := expr.MustParse("biasReLU(x, bias) = max(0, x+bias)")
	x := compute.Slice{
		1, 2, 3,
		-4, 0, 4,
	}
	bias := compute.Slice{0.5, -3, 1}
	run(biasReLU, x, x, compute.Row(bias))
	fmt.Println(x)
	// Output: [1.5 0 4 0 0 5]
}

func Example_causal() {
	causal := expr.MustParse("causal(score, column, row) = where(column <= row, score, frombits(0xff800000))")
	score := compute.Slice{
		1, 2, 3,
		4, 5, 6,
		7, 8, 9,
	}
	index := compute.Slice{0, 1, 2}
	run(causal, score, score, compute.Row(index), compute.Col(index))
	fmt.Println(score)
	// Output: [1 -Inf -Inf 4 5 -Inf 7 8 9]
}

func Example_residual() {
	residual := expr.MustParse("residual(x, y, scale) = x + scale*y")
	x, y := compute.Slice{1, -2, 3}, compute.Slice{4, 8, -2}
	run(residual, x, x, y, compute.F32(0.25))
	fmt.Println(x)
	// Output: [2 0 2.5]
}

func Example_interpolate() {
	lerp := expr.MustParse("lerp(a, b, t) = fma(t, b, fma(-t, a, a))")
	a, b, t := compute.Slice{1, -2, 3}, compute.Slice{5, 2, -1}, compute.Slice{0, 0.25, 1}
	run(lerp, a, a, b, t)
	fmt.Println(a)
	// Output: [1 -1 -1]
}

func Example_pick() {
	pick := expr.MustParse("func pick(m bool, x, y float32) (z float32) { return where(m, x, y) }")
	m := compute.Words{0b0101}
	x, y := compute.Slice{1, 2, 3, 4}, compute.Slice{-1, -2, -3, -4}
	run(pick, x, m, x, y)
	fmt.Println(x)
	// Output: [1 -2 3 -4]
}

func Example_quantize() {
	quantize := expr.MustParse("quantize(x, scale) = min(127, max(-128, rint(x/scale))) * scale")
	x := compute.Slice{0.3, -0.4, 0.125, 100}
	run(quantize, x, x, compute.F32(0.25))
	fmt.Println(x)
	// Output: [0.25 -0.5 0 31.75]
}
