package openclc

import (
	"fmt"
	"strings"

	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/kernel"
)

// A Shipped is a kernel whose text is in package kernels, so that every device has it from the
// start.
type Shipped struct {
	Kernel *kernel.Kernel
	File   string // in package kernels
	Options
}

// All returns the shipped kernels: the forms of LeakyReLU, then copy.
func All() []Shipped {
	const kind, file = 1, "leaky_relu.cl"
	var list []Shipped
	for fm := function.Form(0); fm < function.Count; fm++ {
		p := function.Of(kind).Program(fm)
		var names []string
		for _, r := range p.Results() {
			names = append(names, r.Name)
		}
		for _, a := range p.Args() {
			names = append(names, a.Name)
		}
		name := "leaky_relu_" + strings.ReplaceAll(form.Form(fm).String(), " ", "_")
		list = append(list, Shipped{function.Kernel(kind, fm), file, Options{Name: name, Operands: names}})
	}
	return append(list, Shipped{function.Kernel(0, function.Copy), "copy.cl", Options{Name: "copy", Operands: []string{"dst", "src"}}})
}

// headers are what the files of the shipped kernels begin with.
var headers = map[string]string{
	"leaky_relu.cl": `// LeakyReLU in OpenCL C 1.2, printed by go generate from its program. For every element of x,
// with s the slope:
//
//               x >= 0     otherwise (x < 0, NaN)
//   forward     x          s*x
//   derivative  1          s
//   backward    dy         s*dy
//
// The bit of a mask is x >= 0. Every kernel compares and selects: a maximum is wrong for
// s > 1, a product with 0 or 1 for infinities. elementwise.cl explains the rest.
`,
	"copy.cl": `// The copy to which the other kernels are compared, printed by go generate.
`,
}

// File returns the text of a file of shipped kernels. Those with a mask are left out of a
// program whose vectors are too short for one.
func File(name string) (string, error) {
	text := headers[name]
	for _, s := range All() {
		if s.File != name {
			continue
		}
		printed, err := Print(s.Kernel, s.Options)
		if err != nil {
			return "", fmt.Errorf("%s: %w", s.Name, err)
		}
		if Masked(s.Kernel) {
			printed = "#if WIDTH >= 8\n" + printed + "#endif\n"
		}
		text += "\n" + printed
	}
	return strings.ReplaceAll(text, "#endif\n\n#if WIDTH >= 8\n", "\n"), nil
}

// Files returns the names of the files of shipped kernels.
func Files() []string { return []string{"leaky_relu.cl", "copy.cl"} }
