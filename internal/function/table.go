package function

import "math"

// all has the functions in the order of their kinds, from 1 on; the fused ones are first. To add
// one, add it at the end and run go generate in the root of the module.
var all = []*Function{
	{
		Name: "LeakyReLU",
		Text: "leakyReLU(x, negative_slope) = where(x >= 0, x, negative_slope*x)",
		// 0 exposes products with infinity, 2.5 a maximum of x and the product, -0.5 a kernel
		// that goes by the sign of the result.
		Trials: []Params{{0}, {0.01}, {1}, {2.5}, {-0.5}},
		Fused:  true,
		Doc: `It is the function of Maas, Hannun and Ng, "Rectifier Nonlinearities Improve Neural Network
Acoustic Models" (2013). The derivative at 0 is 1, as in G-Mind. Any finite slope is valid: it
may be 0, negative or above 1. Backends return ErrSlope if it is NaN or infinite.`,
	},
	{
		Name:   "ReLU",
		Text:   "relu(x) = where(x > 0, x, 0)",
		Trials: []Params{{}},
		Fused:  true,
		Doc: `The derivative at 0 is 0, and f(NaN) is 0. LeakyReLU(0) differs: its derivative at 0 is 1, and
it multiplies, so that it is NaN at -Inf.`,
	},
	{
		Name:   "ReLU6",
		Text:   "relu6(x) = where(x < 0, 0, where(x > 6, 6, x))",
		Slope:  "where(0 < x && x < 6, 1, 0)",
		Trials: []Params{{}},
		Fused:  true,
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
		Fused:  true,
		Doc: `The derivative is 0 at low and at high, and f(NaN) is NaN. Backends return ErrActivation
unless low and high are finite and low <= high.`,
	},
	{
		Name:   "HardTanh",
		Text:   "hardTanh(x) = where(x < -1, -1, where(x > 1, 1, x))",
		Slope:  "where(-1 < x && x < 1, 1, 0)",
		Trials: []Params{{}},
		Doc: `It is Clip(-1, 1), the Hardtanh of PyTorch with its defaults. The derivative is 0 at -1 and at
1, and f(NaN) is NaN.`,
	},
	{
		Name:   "ELU",
		Text:   "elu(x, alpha) = where(x > 0, x, alpha*expm1(x))",
		Trials: []Params{{1}, {1.5}, {-0.5}},
		Doc: `It is ELU of PyTorch and Elu of ONNX, where alpha is 1 unless given. ELU(1) is correctly
rounded. The derivative at 0 is alpha.`,
	},
	{
		Name:     "CELU",
		Text:     "celu(x, alpha) = where(x > 0, x, alpha*expm1(x*(1/alpha)))",
		Slope:    "where(x > 0, 1, exp(x*(1/alpha)))",
		Requires: "abs(alpha) >= 0x1p-126",
		Trials:   []Params{{1}, {1.5}, {0.3}},
		Doc: `It is CELU of PyTorch and Celu of ONNX, where alpha is 1 unless given. The quotient 1/alpha is
rounded to float32 once, and not x/alpha for each x. Backends return ErrActivation if alpha is 0
or subnormal.`,
	},
	{
		Name: "SELU",
		Text: "selu(x) = where(x > 0, 1.0507009873554804934193349852946*x, " +
			"1.0507009873554804934193349852946*1.6732632423543772848170429916717*expm1(x))",
		Trials: []Params{{}},
		Doc: `The two constants are rounded to float32: 1.050701, and the product 1.7580993. Selu of ONNX has
attributes, whose defaults are the same float32.`,
	},
	{
		Name:   "Sigmoid",
		Text:   "sigmoid(x) = sigmoid(x)",
		Trials: []Params{{}},
		Doc:    "It is correctly rounded, as is the derivative e^-x/(1+e^-x)^2.",
	},
	{
		Name:   "LogSigmoid",
		Text:   "logSigmoid(x) = logSigmoid(x)",
		Trials: []Params{{}},
		Doc:    "It is log(sigmoid(x)), correctly rounded, as is the derivative. ONNX does not have it.",
	},
	{
		Name:   "HardSigmoid",
		Text:   "hardSigmoid(x) = where(x+3 < 0, 0, where(x+3 > 6, 6, x+3))/6",
		Slope:  "where(-3 < x && x < 3, 1.0/6, 0)",
		Trials: []Params{{}},
		Doc: `It is Hardsigmoid of PyTorch. HardSigmoid of ONNX differs: it clips 0.2*x + 0.5 to [0, 1] unless
it has other attributes. f(NaN) is NaN.`,
	},
	{
		Name:   "Tanh",
		Text:   "tanh(x) = tanh(x)",
		Trials: []Params{{}},
		Doc:    "It is correctly rounded, as is the derivative 1/cosh(x)^2.",
	},
	{
		Name:   "Softplus",
		Text:   "softplus(x) = softplus(x)",
		Trials: []Params{{}},
		Doc: `It is log(1+e^x), correctly rounded, as is the derivative. The threshold of PyTorch, 20, beyond
which its Softplus returns x, is not needed: from 16 on, the nearest float32 is x.`,
	},
	{
		Name:     "SoftplusBeta",
		Text:     "softplusBeta(x, beta) = (1/beta)*softplus(beta*x)",
		Slope:    "sigmoid(beta*x)",
		Requires: "beta >= 0x1p-126",
		Trials:   []Params{{1}, {1.5}, {0.3}},
		Doc: `It is Softplus of PyTorch with its parameter beta; Softplus of ONNX has none. The product and
the quotient 1/beta are rounded to float32, and f overflows where beta*x does. Backends return ErrActivation unless beta is positive
and not subnormal.`,
	},
	{
		Name:   "Softsign",
		Text:   "softsign(x) = softsign(x)",
		Trials: []Params{{}},
		Doc:    "It is x/(1+|x|), correctly rounded, as is the derivative 1/(1+|x|)^2.",
	},
	{
		Name:   "SiLU",
		Text:   "silu(x) = silu(x)",
		Trials: []Params{{}},
		Doc: `It is x*sigmoid(x), correctly rounded, as is the derivative; f(-Inf) is -0. PyTorch calls it
SiLU, Keras silu and swish, and ONNX Swish with alpha 1.`,
	},
	{
		Name:  "Swish",
		Text:  "swish(x, beta) = where(sigmoid(beta*x) == 0, copysign(0, x), x*sigmoid(beta*x))",
		Slope: "where(sigmoidPrime(beta*x) == 0, sigmoid(beta*x), fma(beta*x, sigmoidPrime(beta*x), sigmoid(beta*x)))",
		// A negative one exposes limits at the other end.
		Trials: []Params{{1}, {1.5}, {-0.5}, {0}},
		Doc: `It is Swish of ONNX, which calls beta alpha, and where it is 1 unless given. Each operation is
rounded to float32, so that for large negative beta*x the error grows to |beta*x|/2 units in the
last place; SiLU has none. At -Inf, with a positive beta, f is -0 and f' is 0. Swish(0) is NaN at
infinities.`,
	},
	{
		Name: "HardSwish",
		// From -3 down, x*0 is -0, as the limit.
		Text:   "hardSwish(x) = max(x, -3)*where(x+3 < 0, 0, where(x+3 > 6, 6, x+3))/6",
		Slope:  "where(x <= -3, 0, where(x >= 3, 1, x/3+0.5))",
		Trials: []Params{{}},
		Doc: `It is x*clip(x+3, 0, 6)/6, Hardswish of PyTorch, with f(-Inf) = -0; HardSwish of ONNX rounds in
another order. The product is rounded before the quotient is, and overflows before x does.`,
	},
	{
		Name:   "Mish",
		Text:   "mish(x) = mish(x)",
		Trials: []Params{{}},
		Doc:    "It is x*tanh(softplus(x)), correctly rounded, as is the derivative; f(-Inf) is -0.",
	},
	{
		Name:   "GELU",
		Text:   "gelu(x) = gelu(x)",
		Trials: []Params{{}},
		Doc: `It is x*(1+erf(x/sqrt(2)))/2, correctly rounded, as is the derivative; f(-Inf) is -0. It is GELU
of PyTorch and Gelu of ONNX with approximate="none", their default.`,
	},
	{
		Name:   "GELUTanh",
		Text:   "geluTanh(x) = geluTanh(x)",
		Trials: []Params{{}},
		Doc: `It is x*(1+tanh(sqrt(2/pi)*(x+0.044715*x^3)))/2, correctly rounded, as is the derivative; f(-Inf)
is -0. It is GELU of PyTorch and Gelu of ONNX with approximate="tanh".`,
	},
	{
		Name:   "Exp",
		Text:   "exp(x) = exp(x)",
		Trials: []Params{{}},
		Doc:    "It is e^x, correctly rounded.",
	},
	{
		Name:   "Square",
		Text:   "square(x) = x*x",
		Trials: []Params{{}},
	},
	{
		Name:   "Abs",
		Text:   "abs(x) = abs(x)",
		Slope:  "where(x > 0, 1, where(x < 0, -1, 0))",
		Trials: []Params{{}},
		Doc:    "The derivative is 0 at 0 and at NaN.",
	},
	{
		Name:     "SoftShrink",
		Text:     "softShrink(x, lambda) = where(abs(x) <= lambda, 0, x-copysign(lambda, x))",
		Slope:    "where(abs(x) <= lambda, 0, 1)",
		Requires: "lambda >= 0",
		Trials:   []Params{{0.5}, {0}, {2.5}},
		Doc: `It is Softshrink of PyTorch, where lambda is 0.5 unless given, and Shrink of ONNX with bias =
lambd, whose defaults are 0 and 0.5. f(NaN) is NaN. Backends return ErrActivation if lambda is
negative.`,
	},
	{
		Name:     "HardShrink",
		Text:     "hardShrink(x, lambda) = where(abs(x) <= lambda, 0, x)",
		Requires: "lambda >= 0",
		Trials:   []Params{{0.5}, {0}, {2.5}},
		Doc: `It is Hardshrink of PyTorch and Shrink of ONNX, where lambda, their lambd, is 0.5 unless given.
f(NaN) is NaN. Backends return ErrActivation if lambda is negative.`,
	},
	{
		Name:   "TanhShrink",
		Text:   "tanhShrink(x) = x-tanh(x)",
		Trials: []Params{{}},
		Doc: `It is Tanhshrink of PyTorch; ONNX does not have it. The hyperbolic tangent is rounded before the
difference is, of which few digits are left near 0; likewise in the derivative.`,
	},
	{
		Name:   "Threshold",
		Text:   "threshold(x, threshold, value) = where(x <= threshold, value, x)",
		Trials: []Params{{0, 0}, {0.5, -1}, {-1, 20}},
		Doc: `It is Threshold of PyTorch. ThresholdedRelu of ONNX has the value 0, and the threshold 1 unless
given. f(NaN) is NaN.`,
	},
}
