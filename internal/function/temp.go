// Package function stands in.
package function

import (
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/kernel"
)

const (
	Count     = 2
	MaxParams = 4
)

var texts = [form.Count + 1]string{
	form.Forward:           "f(x, s) = where(x >= 0, x, s*x)",
	form.Derivative:        "f(x, s) = where(x >= 0, 1, s)",
	form.Backward:          "f(dy, x, s) = where(x >= 0, dy, s*dy)",
	form.ForwardDerivative: "func f(x, s float32) (y, d float32) { y = where(x >= 0, x, s*x); d = where(x >= 0, 1, s); return }",
	form.ForwardMask:       "func f(x, s float32) (y float32, m bool) { y = where(x >= 0, x, s*x); m = x >= 0; return }",
	form.BackwardMask:      "func f(dy float32, m bool, s float32) (dx float32) { dx = where(m, dy, s*dy); return }",
	form.Copy:              "copy(x) = x",
}

var all = sync.OnceValue(func() (list [form.Count + 1]*kernel.Kernel) {
	for fm, text := range texts {
		p := expr.MustParse(text)
		var at []kernel.Address
		for _, a := range p.Args() {
			switch {
			case a.Name == "s":
				at = append(at, kernel.Scalar)
			case a.Name == "m":
				at = append(at, kernel.Bit)
			default:
				at = append(at, kernel.Element)
			}
		}
		list[fm] = kernel.New(p.IR(), at)
	}
	return list
})

// Kernel returns the kernel of a form.
func Kernel(kind compute.Kind, fm form.Form) *kernel.Kernel { return all()[fm] }

// Shipped returns the form and kind of a kernel, if it is the library's own.
func Shipped(k *kernel.Kernel) (kind compute.Kind, fm form.Form, ok bool) {
	for fm, known := range all() {
		if known.Key == k.Key {
			if form.Form(fm) == form.Copy {
				return 0, form.Copy, true
			}
			return compute.KindLeakyReLU, form.Form(fm), true
		}
	}
	return 0, 0, false
}
