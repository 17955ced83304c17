package main

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"math"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
)

// The network: pixels, two hidden layers, and a logit for each digit.
const (
	hidden1 = 128
	hidden2 = 64
)

// The programs of the network. Each is one pass over the memory, as a part of the product
// before it where there is one.
var (
	// The uniform numbers of He and others, 2015: variance 2/inputs.
	initial = expr.MustParse("func initial(bound float32, seed, matrix uint32) (w float32) { return bound * (2*rand(seed, matrix) - 1) }")

	// A hidden layer keeps z, which its backward needs.
	layer1 = expr.MustParse("func layer1(xw, bias float32) (y, z float32) { z = xw + bias; y = silu(z); return }")
	layer2 = expr.MustParse("func layer2(xw, bias float32) (y, z float32) { z = xw + bias; y = where(z >= 0, z, 0.01*z); return }")
	back1  = expr.MustParse("silu(z) = silu(z)").Backward("z")
	back2  = expr.MustParse("leakyReLU(z) = where(z >= 0, z, 0.01*z)").Backward("z")
	add    = expr.MustParse("add(xw, bias) = xw + bias")

	// Cross-entropy of the softmax of the logits z, of which m is the greatest of the row, so
	// that no exponential overflows, and s is the sum of these.
	exponential = expr.MustParse("exponential(z, m) = exp(z - m)")
	entropy     = expr.MustParse("entropy(z, m, s, label) = label * (log(s) - (z - m))")
	gradient    = expr.MustParse("gradient(z, m, s, label, scale) = scale * (exp(z - m)/s - label)")
	correct     = expr.MustParse("correct(z, m, label) = where(label > 0 && z == m, 1, 0)")

	// Adam, by Kingma and Ba, 2015, where c1 is 1/(1-beta1^t), and c2 is 1/(1-beta2^t).
	adam = expr.MustParse(`func adam(w, m, v, g, rate, beta1, beta2, epsilon, c1, c2 float32) (w2, m2, v2 float32) {
		m2 = beta1*m + (1-beta1)*g
		v2 = beta2*v + (1-beta2)*(g*g)
		w2 = w - rate*(c1*m2)/(sqrt(c2*v2)+epsilon)
		return
	}`)
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
	m, v    compute.Buffer // the moments of Adam
	power1  float32        // beta1^t
	power2  float32

	learn batch
	test  batch
}

// A batch is a number of images, and what the network makes of them.
type batch struct {
	n             int
	images        compute.Buffer
	labels        compute.Buffer
	y1, z1        compute.Buffer // of the first layer
	y2, z2        compute.Buffer // of the second
	logits        compute.Buffer
	greatest, sum compute.Buffer // of the logits of each row, and of their exponentials
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
		n: n, images: m.alloc(n * pixels), labels: m.alloc(n * digits),
		y1: m.alloc(n * hidden1), z1: m.alloc(n * hidden1),
		y2: m.alloc(n * hidden2), z2: m.alloc(n * hidden2),
		logits: m.alloc(n * digits), greatest: m.alloc(n), sum: m.alloc(n),
	}
}

// newNetwork returns a network with random weights that learns from batches of n images.
func newNetwork(b compute.Linear, n int, test *dataset, seed uint32) (*network, error) {
	mem := &memory{b: b}
	nw := &network{
		b: b, memory: mem, weights: mem.parameters(), grads: mem.parameters(), m: mem.alloc(numParameters), v: mem.alloc(numParameters),
		power1: 1, power2: 1, learn: mem.batch(n), test: mem.batch(test.len()),
	}
	if mem.err != nil {
		return nil, errors.Join(mem.err, mem.release())
	}
	w := nw.weights
	random := func(w compute.Buffer, inputs int, matrix uint32) error {
		bound := float32(math.Sqrt(6 / float64(inputs)))
		return b.Run(initial, w, compute.F32(bound), compute.U32(seed), compute.U32(matrix))
	}
	err := errors.Join(
		b.Fill(w.all, 0), b.Fill(nw.m, 0), b.Fill(nw.v, 0),
		random(w.w1, pixels, 1), random(w.w2, hidden1, 2), random(w.w3, hidden2, 3),
		nw.test.images.Write(test.images), nw.test.labels.Write(test.labels),
	)
	if err != nil {
		return nil, errors.Join(err, mem.release())
	}
	return nw, nil
}

// forward computes the logits of t, and the greatest of each row.
func (nw *network) forward(t *batch) error {
	b, w := nw.b, &nw.weights
	return errors.Join(
		b.MatMul(t.y1, t.images, t.n, pixels, w.w1, hidden1, compute.Then(layer1, t.z1, compute.Row(w.b1))),
		b.MatMul(t.y2, t.y1, t.n, hidden1, w.w2, hidden2, compute.Then(layer2, t.z2, compute.Row(w.b2))),
		b.MatMul(t.logits, t.y2, t.n, hidden2, w.w3, digits, compute.Then(add, compute.Row(w.b3))),
		b.Reduce(t.greatest, compute.Max, compute.Rows(digits), nil, t.logits),
	)
}

// step learns from the images and labels in nw.learn. It sets loss, of one element, to the sum
// of their cross-entropies before. Nothing is copied from or to the host.
func (nw *network) step(rate float32, loss compute.Buffer) error {
	const beta1, beta2, epsilon = 0.9, 0.999, 1e-8
	b, t, w, g := nw.b, &nw.learn, &nw.weights, &nw.grads
	m, s := compute.Col(t.greatest), compute.Col(t.sum)
	nw.power1 = float32(nw.power1 * beta1) // Go must not fuse it with the difference
	nw.power2 = float32(nw.power2 * beta2)
	c1, c2 := 1/(1-nw.power1), 1/(1-nw.power2)
	return errors.Join(
		nw.forward(t),
		b.Reduce(t.sum, compute.Sum, compute.Rows(digits), exponential, t.logits, m),
		b.Reduce(loss, compute.Sum, compute.All(), entropy, t.logits, m, s, t.labels),

		// Each gradient replaces what it is the gradient of.
		b.Run(gradient, t.logits, t.logits, m, s, t.labels, compute.F32(1/float32(t.n))),
		b.MatMul(g.w3, t.y2, hidden2, t.n, t.logits, digits, compute.TransposeA),
		b.Reduce(g.b3, compute.Sum, compute.Cols(digits), nil, t.logits),
		b.MatMul(t.y2, t.logits, t.n, digits, w.w3, hidden2, compute.TransposeB, compute.Then(back2, t.z2)),
		b.MatMul(g.w2, t.y1, hidden1, t.n, t.y2, hidden2, compute.TransposeA),
		b.Reduce(g.b2, compute.Sum, compute.Cols(hidden2), nil, t.y2),
		b.MatMul(t.y1, t.y2, t.n, hidden2, w.w2, hidden1, compute.TransposeB, compute.Then(back1, t.z1)),
		b.MatMul(g.w1, t.images, pixels, t.n, t.y1, hidden1, compute.TransposeA),
		b.Reduce(g.b1, compute.Sum, compute.Cols(hidden1), nil, t.y1),

		b.Run(adam, w.all, nw.m, nw.v, w.all, nw.m, nw.v, g.all, compute.F32(rate),
			compute.F32(beta1), compute.F32(beta2), compute.F32(epsilon), compute.F32(c1), compute.F32(c2)),
	)
}

// accuracy returns how many of the test images the network knows, as a fraction. A digit that
// ties with the right one does not count against it.
func (nw *network) accuracy() (float32, error) {
	t := &nw.test
	var known [1]float32
	out, err := nw.b.Alloc(1)
	if err != nil {
		return 0, err
	}
	err = errors.Join(
		nw.forward(t),
		nw.b.Reduce(out, compute.Sum, compute.All(), correct, t.logits, compute.Col(t.greatest), t.labels),
		out.Read(known[:]),
		out.Release(),
	)
	return known[0] / float32(t.n), err
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
