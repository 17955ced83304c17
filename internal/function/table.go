package function

import "math"

// all has the functions in the order of their kinds, from 1 on. To add one, add it at the end
// and run go generate in the root of the module.
var all = []*Function{
	{
		Name: "LeakyReLU",
		Text: "leakyReLU(x, negative_slope) = where(x >= 0, x, negative_slope*x)",
		// 0 exposes products with infinity, 2.5 a maximum of x and the product, -0.5 a kernel
		// that goes by the sign of the result.
		Trials: []Params{{0}, {0.01}, {1}, {2.5}, {-0.5}},
		Doc: `It is the function of Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network
Acoustic Models" (2013). The derivative at 0 is 1, as in G-Mind. Any finite slope is valid: it
may be 0, negative or above 1. Backends return ErrSlope if it is NaN or infinite.`,
	},
	{
		Name:   "ReLU",
		Text:   "relu(x) = where(x > 0, x, 0)",
		Trials: []Params{{}},
		Doc: `The derivative at 0 is 0, and f(NaN) is 0. LeakyReLU(0) differs: its derivative at 0 is 1, and
it multiplies, so that it is NaN at -Inf.`,
	},
	{
		Name:   "ReLU6",
		Text:   "relu6(x) = where(x < 0, 0, where(x > 6, 6, x))",
		Slope:  "where(0 < x && x < 6, 1, 0)",
		Trials: []Params{{}},
		Doc:    "It is Clip(0, 6). The derivative is 0 at 0 and at 6, and f(NaN) is NaN.",
	},
	{
		Name:     "Clip",
		Text:     "clip(x, low, high) = where(x < low, low, where(x > high, high, x))",
		Slope:    "where(low < x && x < high, 1, 0)",
		Requires: "low <= high",
		// Bounds that are zeros expose those of the wrong sign, and equal ones an order of
		// comparisons.
		Trials: []Params{{-1, 1}, {0, 6}, {-2.5, -0.5}, {2, 2}, {-math.MaxFloat32, 0}},
		Doc: `The derivative is 0 at low and at high, and f(NaN) is NaN. Backends return ErrActivation
unless low and high are finite and low <= high.`,
	},
}
