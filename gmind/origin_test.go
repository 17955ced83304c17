package gmind_test

import (
	"math"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gmind"
)

// An origin is G-Mind's Sequential with its layers, in the operations and the order of its
// source (dense.rs, sigmoid.gd, leaky_relu.gd, mse_loss.gd, tensor.gd): GDScript computes in
// float64, and packed arrays and Rust in float32.
type origin struct{ layers []originLayer }

type originLayer interface {
	forward(x []float32) []float32
	// backward returns the derivatives with respect to the inputs for those of the outputs.
	backward(dy []float64, factor float64) []float64
}

func newOrigin(n *gmind.Network) *origin {
	o := new(origin)
	for _, l := range n.Layers {
		switch l := l.(type) {
		case *gmind.Dense:
			o.layers = append(o.layers, &originDense{in: l.In, out: l.Out,
				weights: clone(l.Weights), biases: clone(l.Biases), gradientsW: clone(l.GradientsW), gradientsB: clone(l.GradientsB)})
		case *gmind.Activation:
			if l.Function == compute.Sigmoid() {
				o.layers = append(o.layers, &originSigmoid{inputs: l.Inputs})
			} else {
				o.layers = append(o.layers, &originLeakyRelu{slope: float64(l.Function.NegativeSlope()), inputs: l.Inputs})
			}
		}
	}
	return o
}

func clone(v []float32) []float32 { return append([]float32{}, v...) }

func (o *origin) forward(x []float32) []float32 {
	for _, l := range o.layers {
		x = l.forward(x)
	}
	return x
}

// loss is MSELoss.forward.
func loss(yHat, y []float32) float64 {
	loss := 0.0
	for i := range yHat {
		d := float64(yHat[i]) - float64(y[i])
		loss += float64(d * d)
	}
	return loss / float64(len(y))
}

// backward is Tensor.backward of the loss.
func (o *origin) backward(yHat, y []float32, batchSize int) {
	factor := 1 / float64(batchSize)
	var dy []float64
	for i := range yHat {
		dy = append(dy, 2*(float64(yHat[i])-float64(y[i])))
	}
	for i := len(o.layers) - 1; i >= 0; i-- {
		dy = o.layers[i].backward(dy, factor)
	}
}

func (o *origin) step(rate float32, zero bool) {
	for _, l := range o.layers {
		if d, ok := l.(*originDense); ok {
			d.apply(d.weights, d.gradientsW, rate, zero)
			d.apply(d.biases, d.gradientsB, rate, zero)
		}
	}
}

func (o *origin) clip(maxNorm float64) {
	norm := 0.0
	o.dense(func(d *originDense) {
		sum := float32(0)
		for i := range d.out {
			for _, g := range d.gradientsW[i*d.in : (i+1)*d.in] {
				sum += float32(g * g)
			}
			sum += float32(d.gradientsB[i] * d.gradientsB[i])
		}
		norm += float64(sum)
	})
	if norm > maxNorm {
		factor := float32(maxNorm / norm)
		o.dense(func(d *originDense) {
			for _, g := range [][]float32{d.gradientsW, d.gradientsB} {
				for i := range g {
					g[i] *= factor
				}
			}
		})
	}
}

func (o *origin) dense(f func(d *originDense)) {
	for _, l := range o.layers {
		if d, ok := l.(*originDense); ok {
			f(d)
		}
	}
}

// network returns the layers as they would be saved.
func (o *origin) network() *gmind.Network {
	n := new(gmind.Network)
	for _, l := range o.layers {
		switch l := l.(type) {
		case *originDense:
			n.Layers = append(n.Layers, &gmind.Dense{In: l.in, Out: l.out, Weights: l.weights, Biases: l.biases, GradientsW: l.gradientsW, GradientsB: l.gradientsB})
		case *originSigmoid:
			n.Layers = append(n.Layers, &gmind.Activation{Function: compute.Sigmoid(), Inputs: l.inputs})
		case *originLeakyRelu:
			n.Layers = append(n.Layers, &gmind.Activation{Function: compute.LeakyReLU(float32(l.slope)), Inputs: l.inputs})
		}
	}
	return n
}

type originDense struct {
	in, out                                         int
	inputs, weights, biases, gradientsW, gradientsB []float32
}

func (d *originDense) forward(x []float32) (output []float32) {
	d.inputs = x
	for o := range d.out {
		node := float32(0)
		for i, w := range d.weights[o*d.in : (o+1)*d.in] {
			node += float32(x[i] * w)
		}
		output = append(output, node+d.biases[o])
	}
	return output
}

func (d *originDense) backward(dy []float64, factor float64) (dx []float64) {
	for i := range d.in {
		sum := 0.0
		for o := range d.out {
			sum += float64(float64(d.weights[o*d.in+i]) * dy[o])
			g := &d.gradientsW[o*d.in+i]
			*g = float32(float64(*g) + float64(float64(dy[o]*float64(d.inputs[i]))*factor))
		}
		dx = append(dx, sum)
	}
	for o := range d.out {
		d.gradientsB[o] = float32(float64(d.gradientsB[o]) + float64(dy[o]*factor))
	}
	return dx
}

func (d *originDense) apply(values, gradients []float32, rate float32, zero bool) {
	for i, g := range gradients {
		values[i] -= float32(g * rate)
		if zero {
			gradients[i] = 0
		}
	}
}

type originSigmoid struct{ inputs []float32 }

func (s *originSigmoid) forward(x []float32) (output []float32) {
	s.inputs = x
	for _, x := range x {
		output = append(output, float32(1/(1+math.Exp(-float64(x)))))
	}
	return output
}

func (s *originSigmoid) backward(dy []float64, _ float64) (dx []float64) {
	for i, x := range s.inputs {
		e := math.Exp(-float64(x))
		dx = append(dx, dy[i]*(e*math.Pow(1+e, -2)))
	}
	return dx
}

type originLeakyRelu struct {
	slope  float64
	inputs []float32
}

func (l *originLeakyRelu) forward(x []float32) (output []float32) {
	l.inputs = x
	for _, x := range x {
		output = append(output, float32(max(l.slope*float64(x), float64(x))))
	}
	return output
}

func (l *originLeakyRelu) backward(dy []float64, _ float64) (dx []float64) {
	for i, x := range l.inputs {
		if x >= 0 {
			dx = append(dx, dy[i])
		} else {
			dx = append(dx, dy[i]*l.slope)
		}
	}
	return dx
}
