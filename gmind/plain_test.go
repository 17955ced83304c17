package gmind_test

import (
	"github.com/gmind-go/compute/gmind"
	"github.com/gmind-go/compute/internal/linear"
)

// plain computes what a Model computes, with the same bits, in plain Go. It changes the network.
type plain struct {
	*gmind.Network
	batch int
	y     [][]float32 // the input, and the results of each layer
}

func (p *plain) forward(x []float32, batch int) []float32 {
	p.batch, p.y = batch, [][]float32{x}
	for _, l := range p.Layers {
		var y []float32
		switch l := l.(type) {
		case *gmind.Dense:
			y = make([]float32, batch*l.Out)
			linear.MatMul(linear.Product{M: batch, K: l.In, N: l.Out, TransposeB: true}, y, x, l.Weights)
			for i := range y {
				y[i] += l.Biases[i%l.Out]
			}
		case *gmind.Activation:
			for _, x := range x {
				y = append(y, l.Function.Value(x))
			}
			l.Inputs = clone(x[len(x)-len(x)/batch:])
		}
		p.y, x = append(p.y, y), y
	}
	return x
}

// loss returns the loss of each sample.
func (p *plain) loss(target []float32) (losses []float32) {
	y := p.y[len(p.Layers)]
	n := len(y) / p.batch
	for s := range p.batch {
		losses = append(losses, linear.Mean(n, func(i int) float32 {
			d := y[s*n+i] - target[s*n+i]
			return float32(d * d)
		}))
	}
	return losses
}

func (p *plain) backward(target []float32) {
	y := p.y[len(p.Layers)]
	dy := make([]float32, len(y))
	for i := range y {
		dy[i] = 1 / float32(p.batch) * (2 * (y[i] - target[i]))
	}
	for i := len(p.Layers) - 1; i >= 0; i-- {
		x := p.y[i]
		switch l := p.Layers[i].(type) {
		case *gmind.Dense:
			linear.MatMul(linear.Product{M: l.Out, K: p.batch, N: l.In, TransposeA: true, Accumulate: true}, l.GradientsW, dy, x)
			for o := range l.Out {
				l.GradientsB[o] += linear.Sum(p.batch, func(s int) float32 { return dy[s*l.Out+o] })
			}
			dx := make([]float32, len(x))
			linear.MatMul(linear.Product{M: p.batch, K: l.Out, N: l.In}, dx, dy, l.Weights)
			dy = dx
		case *gmind.Activation:
			for j := range dy {
				dy[j] = l.Function.Backward(dy[j], x[j])
			}
		}
	}
}

// each calls f with the parameters and the gradients of each Dense.
func (p *plain) each(f func(values, gradients []float32)) {
	for _, l := range p.Layers {
		if d, ok := l.(*gmind.Dense); ok {
			f(d.Weights, d.GradientsW)
			f(d.Biases, d.GradientsB)
		}
	}
}

func (p *plain) clip(limit float32) {
	var all []float32
	p.each(func(_, g []float32) { all = append(all, g...) })
	if squares := linear.Sum(len(all), func(i int) float32 { return float32(all[i] * all[i]) }); squares > limit {
		p.each(func(_, g []float32) {
			for i := range g {
				g[i] *= limit / squares
			}
		})
	}
}

func (p *plain) step(rate float32, zero bool) {
	p.each(func(v, g []float32) {
		for i := range v {
			v[i] -= float32(rate * g[i])
			if zero {
				g[i] = 0
			}
		}
	})
}
