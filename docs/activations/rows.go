package main

// A row is what the page has of a function besides its row of package function.
type row struct {
	params   []float32 // in the table and in the figure
	from, to float32   // range of the figure, from -5 to 5 unless given

	pytorch, onnx, keras, onednn string // names, or "" if there is none
}

// rows has a row for each function.
var rows = map[string]row{
	"LeakyReLU":    {params: []float32{0.1}, pytorch: "leaky_relu (0.01)", onnx: "LeakyRelu (0.01)", keras: "leaky_relu (0.2)", onednn: "relu, alpha = negativeSlope"},
	"ReLU":         {pytorch: "relu", onnx: "Relu", keras: "relu", onednn: "relu"},
	"ReLU6":        {from: -2, to: 8, pytorch: "relu6", onnx: "Clip", keras: "relu6", onednn: "clip_v2"},
	"Clip":         {params: []float32{-1, 2}, pytorch: "hardtanh", onnx: "Clip", onednn: "clip_v2"},
	"HardTanh":     {pytorch: "hardtanh", onnx: "Clip", keras: "hard_tanh", onednn: "clip_v2"},
	"ELU":          {params: []float32{1}, pytorch: "elu (1)", onnx: "Elu (1)", keras: "elu (1)", onednn: "elu"},
	"CELU":         {params: []float32{2}, pytorch: "celu (1)", onnx: "Celu (1)", keras: "celu (1)"},
	"SELU":         {pytorch: "selu", onnx: "Selu", keras: "selu"},
	"Sigmoid":      {pytorch: "sigmoid", onnx: "Sigmoid", keras: "sigmoid", onednn: "logistic"},
	"LogSigmoid":   {pytorch: "logsigmoid", keras: "log_sigmoid", onednn: "soft_relu, alpha = -1"},
	"HardSigmoid":  {pytorch: "hardsigmoid", onnx: "HardSigmoid, alpha = 1/6", keras: "hard_sigmoid", onednn: "hardsigmoid, alpha = 1/6, beta = 1/2"},
	"Tanh":         {pytorch: "tanh", onnx: "Tanh", keras: "tanh", onednn: "tanh"},
	"Softplus":     {pytorch: "softplus", onnx: "Softplus", keras: "softplus", onednn: "soft_relu, alpha = 1"},
	"SoftplusBeta": {params: []float32{2}, pytorch: "softplus (1)", onednn: "soft_relu, alpha = beta"},
	"Softsign":     {pytorch: "softsign", onnx: "Softsign", keras: "softsign"},
	"SiLU":         {pytorch: "silu", onnx: "Swish", keras: "silu", onednn: "swish, alpha = 1"},
	"Swish":        {params: []float32{2}, onnx: "Swish, alpha = beta (1)", onednn: "swish, alpha = beta"},
	"HardSwish":    {pytorch: "hardswish", onnx: "HardSwish", keras: "hard_silu", onednn: "hardswish, alpha = 1/6, beta = 1/2"},
	"Mish":         {pytorch: "mish", onnx: "Mish", keras: "mish", onednn: "mish"},
	"GELU":         {pytorch: "gelu", onnx: "Gelu", keras: "gelu", onednn: "gelu_erf"},
	"GELUTanh":     {pytorch: "gelu, approximate=\"tanh\"", onnx: "Gelu, approximate=\"tanh\"", keras: "gelu, approximate=True", onednn: "gelu_tanh"},
	"Exp":          {pytorch: "exp", onnx: "Exp", keras: "exponential", onednn: "exp"},
	"Square":       {pytorch: "square", onednn: "square"},
	"Abs":          {pytorch: "abs", onnx: "Abs", onednn: "abs"},
	"SoftShrink":   {params: []float32{0.5}, pytorch: "softshrink (0.5)", onnx: "Shrink, bias = lambd", keras: "soft_shrink (0.5)"},
	"HardShrink":   {params: []float32{0.5}, pytorch: "hardshrink (0.5)", onnx: "Shrink (0.5)", keras: "hard_shrink (0.5)"},
	"TanhShrink":   {pytorch: "tanhshrink", keras: "tanh_shrink"},
	"Threshold":    {params: []float32{2, -1}, pytorch: "threshold", onnx: "ThresholdedRelu (1)", keras: "threshold"},
}
