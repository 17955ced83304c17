package train

import (
	"math"

	"github.com/gmind-go/compute/expr"
)

// Random weights. They have the same bits on every device, and depend on the seed, the stream
// and the index of the element alone. Give each matrix another stream, or all that are in one
// buffer would begin with the same numbers:
//
//	deviation := compute.F32(train.HeDeviation(inputs))
//	err := b.Run(train.Normal, w, compute.F32(0), deviation, compute.U32(seed), compute.U32(layer))
var (
	// Uniform is uniform from low to high.
	Uniform = expr.MustParse(`func uniform(low, high float32, seed, stream uint32) (x float32) {
		return low + (high-low)*rand(seed, stream)
	}`)

	// Normal is normally distributed, up to 5.3 deviations from the mean. It is the inverse of
	// the distribution function at a uniform number, by the approximation of erfinv in Giles,
	// "Approximating the erfinv function", 2010.
	Normal = expr.MustParse(`func normal(mean, deviation float32, seed, stream uint32) (x float32) {
		u := float32(2*(randbits(seed, stream)>>9)+1)*(1.0/8388608) - 1
		w := -log((1 - u) * (1 + u))
		c := w - 2.5
		p := fma(2.81022636e-08, c, 3.43273939e-07)
		p = fma(p, c, -3.5233877e-06)
		p = fma(p, c, -4.39150654e-06)
		p = fma(p, c, 0.00021858087)
		p = fma(p, c, -0.00125372503)
		p = fma(p, c, -0.00417768164)
		p = fma(p, c, 0.246640727)
		p = fma(p, c, 1.50140941)
		d := sqrt(w) - 3
		q := fma(-0.000200214257, d, 0.000100950558)
		q = fma(q, d, 0.00134934322)
		q = fma(q, d, -0.00367342844)
		q = fma(q, d, 0.00573950773)
		q = fma(q, d, -0.0076224613)
		q = fma(q, d, 0.00943887047)
		q = fma(q, d, 1.00167406)
		q = fma(q, d, 2.83297682)
		return mean + deviation*(1.41421356*(where(w < 5, p, q)*u))
	}`)
)

// HeDeviation returns sqrt(2/inputs), the standard deviation for the weights of a layer with
// that many inputs, at least one, before a ReLU (He and others, "Delving Deep into Rectifiers",
// 2015). The uniform distribution with it goes to sqrt(3) times the deviation.
func HeDeviation(inputs int) float32 { return float32(math.Sqrt(2 / float64(inputs))) }

// GlorotDeviation returns sqrt(2/(inputs+outputs)), the standard deviation for the weights of a
// layer, before a sigmoid or tanh (Glorot and Bengio, "Understanding the Difficulty of Training
// Deep Feedforward Neural Networks", 2010). The uniform distribution with it goes to sqrt(3)
// times the deviation.
func GlorotDeviation(inputs, outputs int) float32 {
	return float32(math.Sqrt(2 / (float64(inputs) + float64(outputs))))
}
