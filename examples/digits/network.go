package main

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/train"
)

// The network: pixels, two hidden layers, and a logit for each digit.
const (
	hidden1 = 128
	hidden2 = 64
)

// A hidden layer is one pass, as a part of its product, and keeps z, which its backward needs.
var (
	layer1 = expr.MustParse("func layer1(xw, bias float32) (y, z float32) { z = xw + bias; y = silu(z); return }")
	back1  = expr.MustParse("silu(z) = silu(z)").Backward("z")
	layer2 = expr.MustParse("func layer2(xw, bias float32) (y, z float32) { z = xw + bias; y = where(z >= 0, z, 0.01*z); return }")
	back2  = expr.MustParse("leakyReLU(z) = where(z >= 0, z, 0.01*z)").Backward("z")
	add    = expr.MustParse("add(xw, bias) = xw + bias")
)

// Parameters are views of one buffer: what is done to all of them is one call.
type parameters struct {
	all                    compute.Buffer
	w1, b1, w2, b2, w3, b3 compute.Buffer
}

const numParameters = pixels*hidden1 + hidden1 + hidden1*hidden2 + hidden2 + hidden2*digits + digits

// A network learns on a backend. All that it needs is there.
type network struct {
	b       compute.Linear
	memory  *memory
	weights parameters
	grads   parameters
	m, v    compute.Buffer // the means of Adam
	steps   int
	softmax *train.Softmax

	learn, test batch
	known       compute.Buffer // how many of the test images are right, as a fraction
}

// A batch is a number of images, and what the network makes of them.
type batch struct {
	n              int
	images, labels compute.Buffer
	y1, z1         compute.Buffer // of the first layer
	y2, z2         compute.Buffer // of the second
	logits, losses compute.Buffer
}

// memory makes buffers until there is an error.
type memory struct {
	b    compute.Backend
	bufs []compute.Buffer
	err  error
}

func (m *memory) keep(buf compute.Buffer, err error) compute.Buffer {
	if err != nil {
		m.err = errors.Join(m.err, err)
		return nil
	}
	m.bufs = append(m.bufs, buf)
	return buf
}

func (m *memory) alloc(n int) compute.Buffer { return m.keep(m.b.Alloc(n)) }

func (m *memory) upload(v []float32) compute.Buffer { return m.keep(m.b.Upload(v)) }

func (m *memory) release() error {
	var err error
	for _, buf := range m.bufs {
		err = errors.Join(err, buf.Release())
	}
	return err
}

// parameters returns new ones, with unspecified values.
func (m *memory) parameters() (p parameters) {
	if p.all = m.alloc(numParameters); m.err != nil {
		return p
	}
	from := 0
	view := func(n int) compute.Buffer {
		from += n
		return m.keep(p.all.View(from-n, from))
	}
	p.w1, p.b1 = view(pixels*hidden1), view(hidden1)
	p.w2, p.b2 = view(hidden1*hidden2), view(hidden2)
	p.w3, p.b3 = view(hidden2*digits), view(digits)
	return p
}

// batch returns a batch of n images.
func (m *memory) batch(n int) batch {
	return batch{
		n: n, images: m.alloc(n * pixels), labels: m.alloc(n),
		y1: m.alloc(n * hidden1), z1: m.alloc(n * hidden1),
		y2: m.alloc(n * hidden2), z2: m.alloc(n * hidden2),
		logits: m.alloc(n * digits), losses: m.alloc(n),
	}
}

// newNetwork returns a network with random weights that learns from batches of n images.
func newNetwork(b compute.Linear, n int, test *dataset, seed uint32) (*network, error) {
	softmax, err := train.NewSoftmax(b, digits)
	if err != nil {
		return nil, err
	}
	mem := &memory{b: b}
	nw := &network{
		b: b, memory: mem, weights: mem.parameters(), grads: mem.parameters(), m: mem.alloc(numParameters), v: mem.alloc(numParameters),
		softmax: softmax, learn: mem.batch(n), test: mem.batch(test.len()), known: mem.alloc(1),
	}
	if mem.err != nil {
		return nil, errors.Join(mem.err, nw.release())
	}
	w := nw.weights
	random := func(w compute.Buffer, inputs int, stream uint32) error {
		return b.Run(train.Normal, w, compute.F32(0), compute.F32(train.HeDeviation(inputs)), compute.U32(seed), compute.U32(stream))
	}
	err = errors.Join(
		b.Fill(w.all, 0), b.Fill(nw.m, 0), b.Fill(nw.v, 0),
		random(w.w1, pixels, 1), random(w.w2, hidden1, 2), random(w.w3, hidden2, 3),
		nw.test.images.Write(test.images), nw.test.labels.Write(test.labels),
	)
	if err != nil {
		return nil, errors.Join(err, nw.release())
	}
	return nw, nil
}

func (nw *network) release() error { return errors.Join(nw.memory.release(), nw.softmax.Release()) }

// forward computes the logits of t.
func (nw *network) forward(t *batch) error {
	b, w := nw.b, &nw.weights
	return errors.Join(
		b.MatMul(t.y1, t.images, t.n, pixels, w.w1, hidden1, compute.Then(layer1, t.z1, compute.Row(w.b1))),
		b.MatMul(t.y2, t.y1, t.n, hidden1, w.w2, hidden2, compute.Then(layer2, t.z2, compute.Row(w.b2))),
		b.MatMul(t.logits, t.y2, t.n, hidden2, w.w3, digits, compute.Then(add, compute.Row(w.b3))),
	)
}

// step learns from the images and labels in nw.learn. It sets loss, of one element, to the mean
// of their cross-entropies before. Nothing moves between the host and the device.
func (nw *network) step(rate float32, loss compute.Buffer) error {
	const beta1, beta2, epsilon = 0.9, 0.999, 1e-8
	b, t, w, g := nw.b, &nw.learn, &nw.weights, &nw.grads
	nw.steps++
	return errors.Join(
		nw.forward(t),

		// Each gradient replaces what it is the gradient of.
		nw.softmax.CrossEntropy(t.losses, t.logits, t.logits, t.labels),
		b.Reduce(loss, compute.Mean, compute.All(), nil, t.losses),
		b.MatMul(g.w3, t.y2, hidden2, t.n, t.logits, digits, compute.TransposeA),
		b.Reduce(g.b3, compute.Sum, compute.Cols(digits), nil, t.logits),
		b.MatMul(t.y2, t.logits, t.n, digits, w.w3, hidden2, compute.TransposeB, compute.Then(back2, t.z2)),
		b.MatMul(g.w2, t.y1, hidden1, t.n, t.y2, hidden2, compute.TransposeA),
		b.Reduce(g.b2, compute.Sum, compute.Cols(hidden2), nil, t.y2),
		b.MatMul(t.y1, t.y2, t.n, hidden2, w.w2, hidden1, compute.TransposeB, compute.Then(back1, t.z1)),
		b.MatMul(g.w1, t.images, pixels, t.n, t.y1, hidden1, compute.TransposeA),
		b.Reduce(g.b1, compute.Sum, compute.Cols(hidden1), nil, t.y1),

		b.Run(train.Adam, w.all, nw.m, nw.v, w.all, nw.m, nw.v, g.all, compute.F32(rate),
			compute.F32(beta1), compute.F32(beta2), compute.F32(epsilon),
			compute.F32(train.Correction(beta1, nw.steps)), compute.F32(train.Correction(beta2, nw.steps))),
	)
}

// accuracy returns how many of the test images the network knows, as a fraction.
func (nw *network) accuracy() (float32, error) {
	t := &nw.test
	var known [1]float32
	err := errors.Join(
		nw.forward(t),
		nw.softmax.Predict(t.losses, t.logits), // which has an element for each image, too
		nw.b.Reduce(nw.known, compute.Mean, compute.All(), train.Hit, t.losses, t.labels),
		nw.known.Read(known[:]),
	)
	return known[0], err
}

// hash returns the SHA-256 of the weights, each as four bytes, the lowest first.
func (nw *network) hash() ([sha256.Size]byte, error) {
	values := make([]float32, numParameters)
	if err := nw.weights.all.Read(values); err != nil {
		return [sha256.Size]byte{}, err
	}
	var bytes []byte
	for _, v := range values {
		bytes = binary.LittleEndian.AppendUint32(bytes, math.Float32bits(v))
	}
	return sha256.Sum256(bytes), nil
}
