package train

import "github.com/gmind-go/compute/expr"

// Steps of optimizers. They update the weights w, and what else they keep, in place, from the
// gradient g of the loss: the results are the first arguments again, as in
//
//	err := b.Run(train.Momentum, w, v, w, v, g, compute.F32(rate), compute.F32(0.9))
//
// What they keep is 0 before the first step: see Backend.Fill. With all weights of a network in
// one buffer, of which the layers have views, a step is one call.
var (
	// SGD is stochastic gradient descent.
	SGD = expr.MustParse("sgd(w, g, rate) = w - rate*g")

	// Momentum keeps a velocity v (Polyak, 1964; in this form PyTorch's SGD).
	Momentum = expr.MustParse(`func momentum(w, v, g, rate, mu float32) (w2, v2 float32) {
		v2 = mu*v + g
		w2 = w - rate*v2
		return
	}`)

	// Nesterov is Momentum that looks ahead (Nesterov, 1983; in this form PyTorch's SGD with
	// nesterov=True).
	Nesterov = expr.MustParse(`func nesterov(w, v, g, rate, mu float32) (w2, v2 float32) {
		v2 = mu*v + g
		w2 = w - rate*(g+mu*v2)
		return
	}`)

	// Adam keeps means of g and of g² (Kingma and Ba, "Adam: A Method for Stochastic
	// Optimization", 2014). In step t, from 1 on, c1 is Correction(b1, t) and c2 is
	// Correction(b2, t).
	Adam = expr.MustParse(`func adam(w, m, v, g, rate, b1, b2, eps, c1, c2 float32) (w2, m2, v2 float32) {
		m2 = b1*m + (1-b1)*g
		v2 = b2*v + (1-b2)*(g*g)
		w2 = w - rate*(c1*m2)/(sqrt(c2*v2)+eps)
		return
	}`)

	// AdamW is Adam that also shrinks the weights, by the factor 1-rate*decay (Loshchilov and
	// Hutter, "Decoupled Weight Decay Regularization", 2017).
	AdamW = expr.MustParse(`func adamW(w, m, v, g, rate, b1, b2, eps, decay, c1, c2 float32) (w2, m2, v2 float32) {
		m2 = b1*m + (1-b1)*g
		v2 = b2*v + (1-b2)*(g*g)
		w2 = (1-rate*decay)*w - rate*(c1*m2)/(sqrt(c2*v2)+eps)
		return
	}`)

	// ClipValue limits each element of a gradient to -limit and limit. NaN stays NaN, so that a
	// broken gradient is seen. ClipNorm limits the norm instead.
	ClipValue = expr.MustParse("clipValue(g, limit) = min(limit, max(-limit, g))")

	// Average updates an exponential moving average of the weights.
	Average = expr.MustParse("average(mean, w, decay) = decay*mean + (1-decay)*w")
)

// Correction returns 1/(1-beta^t), which corrects the mean of Adam with the decay beta for its
// start at 0, in step t. It is computed in float64, and has the same bits on every processor. It
// is 1 if beta is 0, and +Inf if t is 0.
func Correction(beta float32, t int) float32 {
	power, square := 1.0, float64(beta)
	for ; t > 0; t /= 2 {
		if t%2 == 1 {
			power = float64(power * square)
		}
		square = float64(square * square) // the conversions keep Go from contracting
	}
	return float32(1 / (1 - float64(power)))
}
