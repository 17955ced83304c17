package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/gmind-go/compute/expr"
)

// prelu is the program of the last section.
var prelu = expr.MustParse("prelu(x, slope) = where(x > 0, x, slope*x)")

const aboutPReLU = `
It is the function of He, Zhang, Ren and Sun, "Delving Deep into Rectifiers" (2015). Each channel has
a slope, which is learned, so it has no constructor: an Activation is a comparable value, whose
parameters are numbers, and the slopes are a buffer. The [cookbook](programs.md#activations) calls
the program with them as a Row, forward and backward; Program.Saved keeps one bit of each x for the
latter. The gradient of a slope is the sum of dy*df/dslope over its channel.

The derivative at 0 is the slope, as in PyTorch. ONNX's PRelu has x >= 0 in place of x > 0, as
has LeakyReLU here, whose derivative at 0 is 1. The channels are the last dimension of x for a Row.
Where they are the first, so that all elements of a channel follow each other, the slopes are a Col.

| PyTorch | ONNX | Keras | oneDNN |
|---|---|---|---|
| prelu | PRelu | layers.PReLU | prelu, a primitive |
`

// writePReLU writes the section of PReLU, which is no Activation.
func writePReLU(b *bytes.Buffer) {
	b.WriteString("\n## PReLU\n\n")
	for _, line := range []struct {
		name string
		p    *expr.Program
	}{{"f(x)     ", prelu}, {"f'(x)    ", prelu.Partial("x")}, {"df/dslope", prelu.Partial("slope")}} {
		_, formula, _ := strings.Cut(line.p.String(), " = ") // of a program of one statement
		formula, _, _ = strings.Cut(formula, "\n")
		fmt.Fprintf(b, "    %s = %s\n", line.name, formula)
	}
	b.WriteString(aboutPReLU)
}
