package main

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas32"

	"github.com/gmind-go/compute"
)

// The exclusive or: every input, and what is to come out.
var (
	inputs = matrix(4, 2, []float32{0, 0, 0, 1, 1, 0, 1, 1})
	wanted = []float32{0, 1, 1, 0}
)

const (
	hidden = 8   // units of the hidden layer
	rate   = 0.1 // of learning
)

// A network has two layers of weights, and LeakyReLU between them, on a backend.
// It learns by gradient descent on the mean squared error.
type network struct {
	activation       *compute.Layer
	weights1, bias1  blas32.General // 2 x hidden, 1 x hidden
	weights2         blas32.General // hidden x 1
	bias2            float32
	z, a, gradient   blas32.General // 4 x hidden: before and after the activation, and of the loss
	out, outGradient blas32.General // 4 x 1
}

func newNetwork(b compute.Backend, seed uint64) *network {
	r := rand.New(rand.NewPCG(seed, 0))
	random := func(rows, cols int) blas32.General {
		m := matrix(rows, cols, nil)
		for i := range m.Data {
			m.Data[i] = float32(r.NormFloat64())
		}
		return m
	}
	return &network{
		activation: compute.NewLayer(b, compute.LeakyReLU(compute.DefaultNegativeSlope)),
		weights1:   random(2, hidden), bias1: matrix(1, hidden, nil),
		weights2: random(hidden, 1),
		z:        matrix(4, hidden, nil), a: matrix(4, hidden, nil), gradient: matrix(4, hidden, nil),
		out: matrix(4, 1, nil), outGradient: matrix(4, 1, nil),
	}
}

// matrix returns a matrix of data, or of zeros.
func matrix(rows, cols int, data []float32) blas32.General {
	if data == nil {
		data = make([]float32, rows*cols)
	}
	return blas32.General{Rows: rows, Cols: cols, Stride: cols, Data: data}
}

// forward computes what the network says to every input.
func (n *network) forward() error {
	for i := range n.z.Rows {
		copy(n.z.Data[i*hidden:], n.bias1.Data)
	}
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, inputs, n.weights1, 1, n.z)
	if err := n.activation.ForwardInto(n.a.Data, n.z.Data); err != nil {
		return err
	}
	for i := range n.out.Data {
		n.out.Data[i] = n.bias2
	}
	blas32.Gemm(blas.NoTrans, blas.NoTrans, 1, n.a, n.weights2, 1, n.out)
	return nil
}

// step learns from every input once, and returns the loss before.
func (n *network) step() (loss float32, err error) {
	if err := n.forward(); err != nil {
		return 0, err
	}
	for i, out := range n.out.Data {
		miss := out - wanted[i]
		loss += miss * miss / 4
		n.outGradient.Data[i] = 2 * miss / 4
	}
	blas32.Gemm(blas.NoTrans, blas.Trans, 1, n.outGradient, n.weights2, 0, n.gradient)
	if err := n.activation.BackwardInto(n.gradient.Data, n.gradient.Data); err != nil {
		return 0, err
	}
	blas32.Gemm(blas.Trans, blas.NoTrans, -rate, n.a, n.outGradient, 1, n.weights2)
	blas32.Gemm(blas.Trans, blas.NoTrans, -rate, inputs, n.gradient, 1, n.weights1)
	for i := range n.out.Data {
		n.bias2 -= rate * n.outGradient.Data[i]
		for j := range n.bias1.Data {
			n.bias1.Data[j] -= rate * n.gradient.Data[i*hidden+j]
		}
	}
	return loss, nil
}
