package train_test

import (
	"errors"
	"fmt"
	"log"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/train"
)

// A network with a hidden layer learns whether a point is in a disc. All of it stays on the
// device.
func Example_network() {
	opened, err := compute.Open(gpu.Open, cpu.Open)
	if err != nil {
		log.Fatal(err)
	}
	defer opened.Close()
	b, ok := compute.As[compute.Linear](opened)
	if !ok {
		log.Fatal("the backend multiplies no matrices")
	}
	const points, in, hidden, classes, batch = 1024, 2, 32, 2, 64
	var failed error
	keep := func(x compute.Buffer, err error) compute.Buffer { failed = errors.Join(failed, err); return x }
	alloc := func(n int) compute.Buffer { return keep(b.Alloc(n)) }

	// Weights and gradients are one buffer each, of which the layers have views.
	const parameters = in*hidden + hidden + hidden*classes + classes
	layers := func() (all, w1, b1, w2, b2 compute.Buffer) {
		all, from := alloc(parameters), 0
		view := func(n int) compute.Buffer { from += n; return keep(all.View(from-n, from)) }
		return all, view(in * hidden), view(hidden), view(hidden * classes), view(classes)
	}
	w, w1, b1, w2, b2 := layers()
	g, g1, gb1, g2, gb2 := layers()
	m, v := alloc(parameters), alloc(parameters)
	data, labels, index := alloc(points*in), alloc(points), alloc(batch)
	x, y, z, logits, label := alloc(batch*in), alloc(batch*hidden), alloc(batch*hidden), alloc(batch*classes), alloc(batch)
	losses, loss, norm := alloc(batch), alloc(1), alloc(1)
	softmax, err := train.NewSoftmax(b, classes)
	if err = errors.Join(err, failed); err != nil {
		log.Fatal(err)
	}

	// Random points, whether they are in the disc, and random weights.
	square := expr.MustParse("square(x) = x * x")
	inside := expr.MustParse("inside(squares) = where(squares < 0.6, 1, 0)")
	const seed = compute.U32(1)
	if err := errors.Join(
		b.Run(train.Uniform, data, compute.F32(-1), compute.F32(1), seed, compute.U32(0)),
		b.Reduce(labels, compute.Sum, compute.Rows(in), square, data),
		b.Run(inside, labels, labels),
		b.Fill(w, 0), b.Fill(m, 0), b.Fill(v, 0),
		b.Run(train.Normal, w1, compute.F32(0), compute.F32(train.HeDeviation(in)), seed, compute.U32(1)),
		b.Run(train.Normal, w2, compute.F32(0), compute.F32(train.HeDeviation(hidden)), seed, compute.U32(2)),
	); err != nil {
		log.Fatal(err)
	}

	pick := expr.MustParse("func pick(points float32, step uint32) (i float32) { return floor(points * rand(2, step)) }")
	layer := expr.MustParse("func layer(p, bias float32) (y, z float32) { z = p + bias; y = max(0, z); return }")
	back := expr.MustParse("relu(z) = max(0, z)").Backward("z")
	add := expr.MustParse("add(p, bias) = p + bias")
	const rate, beta1, beta2, epsilon = 0.01, 0.9, 0.999, 1e-8
	for step := 1; step <= 300; step++ {
		err := errors.Join(
			b.Run(pick, index, compute.F32(points), compute.U32(step)),
			b.Gather(x, data, index),
			b.Gather(label, labels, index),
			b.MatMul(y, x, batch, in, w1, hidden, compute.Then(layer, z, compute.Row(b1))),
			b.MatMul(logits, y, batch, hidden, w2, classes, compute.Then(add, compute.Row(b2))),
			softmax.CrossEntropy(losses, logits, logits, label), // each gradient replaces its value
			b.Reduce(loss, compute.Mean, compute.All(), nil, losses),
			b.MatMul(g2, y, hidden, batch, logits, classes, compute.TransposeA),
			b.Reduce(gb2, compute.Sum, compute.Cols(classes), nil, logits),
			b.MatMul(y, logits, batch, classes, w2, hidden, compute.TransposeB, compute.Then(back, z)),
			b.MatMul(g1, x, in, batch, y, hidden, compute.TransposeA),
			b.Reduce(gb1, compute.Sum, compute.Cols(hidden), nil, y),
			train.ClipNorm(b, g, norm, 1),
			b.Run(train.Adam, w, m, v, w, m, v, g, compute.F32(rate), compute.F32(beta1), compute.F32(beta2), compute.F32(epsilon),
				compute.F32(train.Correction(beta1, step)), compute.F32(train.Correction(beta2, step))),
		)
		if err != nil {
			log.Fatal(err)
		}
	}
	last := make([]float32, 1)
	if err := loss.Read(last); err != nil {
		log.Fatal(err)
	}
	fmt.Printf("loss %.3f\n", last[0])
	// Output: loss 0.149
}
