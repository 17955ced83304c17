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

func Example_bce() {
	bce := expr.MustParse("bce(x, t) = softplus(x) - t*x")
	x, t := compute.Slice{-2, 0, 3, 200}, compute.Slice{0, 1, 0.5, 1}
	loss, dx := make(compute.Slice, 4), make(compute.Slice, 4)
	run(bce, loss, x, t)
	run(bce.Partial("x"), dx, x, t)
	fmt.Println(loss, dx)
	// Output: [0.12692802 0.6931472 1.5485873 0] [0.11920292 -0.5 0.45257413 0]
}

func Example_mse() {
	mse := expr.MustParse("mse(p, t) = 0.5 * ((p-t) * (p-t))")
	p, t := compute.Slice{1, 2, -3}, compute.Slice{1, 4, 1}
	loss, dp := make(compute.Slice, 3), make(compute.Slice, 3)
	run(mse, loss, p, t)
	run(mse.Partial("p"), dp, p, t)
	fmt.Println(loss, dp)
	// Output: [0 2 8] [0 -2 -4]
}

func Example_huber() {
	huber := expr.MustParse(`func huber(p, t, delta float32) (loss float32) {
		d := abs(p - t)
		return where(d <= delta, 0.5*(d*d), delta*(d-0.5*delta))
	}`)
	p, t := compute.Slice{1, 5, -3}, compute.Slice{0, 1, 0.5}
	loss, dp := make(compute.Slice, 3), make(compute.Slice, 3)
	delta := compute.F32(2)
	run(huber, loss, p, t, delta)
	run(huber.Partial("p"), dp, p, t, delta)
	fmt.Println(loss, dp)
	// Output: [0.5 6 5] [1 2 -2]
}

func Example_hinge() {
	hinge := expr.MustParse("hinge(p, t) = max(1-t*p, 0)")
	p, t := compute.Slice{0.25, 2, 0.5}, compute.Slice{1, 1, -1}
	loss, dp := make(compute.Slice, 3), make(compute.Slice, 3)
	run(hinge, loss, p, t)
	run(hinge.Partial("p"), dp, p, t)
	fmt.Println(loss, dp)
	// Output: [0.75 0 1.5] [-1 0 1]
}

func Example_labelSmoothing() {
	smooth := expr.MustParse("smooth(t, amount, classes) = (1-amount)*t + amount/classes")
	t := compute.Slice{0, 1, 0, 0}
	run(smooth, t, t, compute.F32(0.25), compute.F32(4))
	fmt.Println(t)
	// Output: [0.0625 0.8125 0.0625 0.0625]
}

func Example_sgd() {
	sgd := expr.MustParse("sgd(w, g, rate) = w - rate*g")
	w, g := compute.Slice{1, -2, 3}, compute.Slice{2, -2, 4}
	rate := compute.F32(0.25)
	run(sgd, w, w, g, rate)
	fmt.Println(w)
	// Output: [0.5 -1.5 2]
}

func Example_momentum() {
	momentum := expr.MustParse(`func momentum(w, v, g, rate, mu float32) (w2, v2 float32) {
		v2 = mu*v + g
		w2 = w - rate*v2
		return
	}`)
	w, v, g := compute.Slice{1, -2}, compute.Slice{4, 0}, compute.Slice{1, -1}
	rate, mu := compute.F32(0.5), compute.F32(0.75)
	run(momentum, w, v, w, v, g, rate, mu)
	fmt.Println(w, v)
	// Output: [-1 -1.5] [4 -1]
}

func Example_nesterov() {
	nesterov := expr.MustParse(`func nesterov(w, v, g, rate, mu float32) (w2, v2 float32) {
		v2 = mu*v + g
		w2 = w - rate*(g+mu*v2)
		return
	}`)
	w, v, g := compute.Slice{1, -2}, compute.Slice{4, 0}, compute.Slice{1, -1}
	rate, mu := compute.F32(0.5), compute.F32(0.75)
	run(nesterov, w, v, w, v, g, rate, mu)
	fmt.Println(w, v)
	// Output: [-1 -1.125] [4 -1]
}

func Example_adam() {
	adam := expr.MustParse(`func adam(w, m, v, g, rate, b1, b2, eps float32) (w2, m2, v2 float32) {
		m2 = b1*m + (1-b1)*g
		v2 = b2*v + (1-b2)*(g*g)
		w2 = w - rate*m2/(sqrt(v2)+eps)
		return
	}`)
	rate, b1, b2, eps := compute.F32(0.5), compute.F32(0.5), compute.F32(0.5), compute.F32(1)
	w, m, v, g := compute.Slice{1, -1}, compute.Slice{0, 2}, compute.Slice{14, 2}, compute.Slice{2, -4}
	run(adam, w, m, v, w, m, v, g, rate, b1, b2, eps)
	fmt.Println(w, m, v)
	// Output: [0.875 -0.875] [1 -1] [9 9]
}

func Example_adamW() {
	adamW := expr.MustParse(`func adamW(w, m, v, g, rate, b1, b2, eps, decay, c1, c2 float32) (w2, m2, v2 float32) {
		m2 = b1*m + (1-b1)*g
		v2 = b2*v + (1-b2)*(g*g)
		w2 = (1-rate*decay)*w - rate*(c1*m2)/(sqrt(c2*v2)+eps)
		return
	}`)
	rate, b1, b2, eps, decay := compute.F32(0.5), compute.F32(0.5), compute.F32(0.5), compute.F32(4), compute.F32(0.5)
	c1, c2 := 1/(1-b1), 1/(1-b2)
	w, m, v, g := compute.Slice{1, -1}, compute.Slice{0, 2}, compute.Slice{12, 0}, compute.Slice{2, -4}
	run(adamW, w, m, v, w, m, v, g, rate, b1, b2, eps, decay, c1, c2)
	fmt.Println(w, m, v)
	// Output: [0.625 -0.625] [1 -1] [8 8]
}

func Example_clip() {
	clip := expr.MustParse("clip(g, limit) = min(limit, max(-limit, g))")
	g := compute.Slice{-3, 0.5, 1, 8}
	run(clip, g, g, compute.F32(1))
	fmt.Println(g)
	// Output: [-1 0.5 1 1]
}

func Example_average() {
	average := expr.MustParse("average(mean, w, decay) = decay*mean + (1-decay)*w")
	mean, w := compute.Slice{1, -2, 0}, compute.Slice{5, 2, 4}
	run(average, mean, mean, w, compute.F32(0.75))
	fmt.Println(mean)
	// Output: [2 -1 1]
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

func Example_softmax() {
	powers := expr.MustParse("powers(x, most) = exp(x - most)")
	softmax := expr.MustParse("softmax(power, sum) = power / sum")
	logSoftmax := expr.MustParse("logSoftmax(x, most, sum) = x - most - log(sum)")
	x, power, y := compute.Slice{1, 2, 300, 299}, make(compute.Slice, 4), make(compute.Slice, 4) // two rows
	most := compute.Col(compute.Slice{2, 300})
	run(powers, power, x, most)
	sum := compute.Col(compute.Slice{power[0] + power[1], power[2] + power[3]})
	run(softmax, y, power, sum)
	run(logSoftmax, x, x, most, sum)
	fmt.Println(y, x)
	// Output: [0.26894143 0.7310586 0.7310586 0.26894143] [-1.3132616 -0.31326166 -0.31326166 -1.3132616]
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
