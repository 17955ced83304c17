// Package function has the library's own functions, as programs of package expr, and the
// kernels of all their forms. Whatever is made for each function ranges over All.
//
// Programs and kernels are made when they are first asked for.
package function

import (
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/kernel"
)

// MaxParams is the number of parameters that a function has at most.
const MaxParams = 4

// Params are the parameters of a function in their order, and then zeros.
type Params = [MaxParams]float32

// A Function is one function of x, with parameters.
type Function struct {
	Name string // of the constructor in package compute
	// Text is the program, name(x, parameters) = expression. The names of the parameters are
	// those in errors, and in lower camel case those of the constructor.
	Text string
	// Slope is the derivative with respect to x, as an expression, where it is not the one that
	// Text has.
	Slope string
	// Requires is what the parameters must be besides finite, as an expression of type bool.
	Requires string
	// Trials are parameters that tests try: those that expose kernels that are right only for
	// the usual ones.
	Trials []Params
	// Fused functions have a loop for each form in package cpu. The others run there as programs.
	Fused bool
	Doc   string // of the constructor, after the formulas

	once     sync.Once // for what follows
	params   []string  // names
	requires *expr.Program
	forms    [Count]*expr.Program
	kernels  [Count]*kernel.Kernel

	addresses [Count][]kernel.Address
}

// All returns all functions. That of kind k is at k-1. The list is not to be changed.
func All() []*Function { return all }

// Of returns the function of a kind, one of All or what Add made, or nil if there is none.
func Of(kind int) *Function {
	switch {
	case kind >= firstAdded && kind < firstAdded+MaxAdded:
		return added.list[kind-firstAdded].Load()
	case kind < 1 || kind > len(all):
		return nil
	}
	return all[kind-1]
}

// Params returns the names of the parameters. The list is not to be changed.
func (f *Function) Params() []string {
	f.once.Do(f.make)
	return f.params
}

// Invalid returns what is wrong with the parameters, and the remedy, or "". It allocates nothing
// for valid ones.
func (f *Function) Invalid(params *Params) string {
	for i, name := range f.Params() {
		if v := params[i]; v-v != 0 { // NaN or infinite
			return fmt.Sprintf("the %s is %v; give a finite one", strings.ReplaceAll(name, "_", " "), v)
		}
	}
	if f.requires == nil {
		return ""
	}
	p := f.requires.IR()
	var values [maxNodes]uint64
	var args [MaxParams]uint64
	for i, v := range params {
		args[i] = uint64(math.Float32bits(v))
	}
	if p.Eval(values[:len(p.Nodes)], 0, args[:]); values[p.Results[0].Value] == 0 {
		return "give parameters with " + f.Requires
	}
	return ""
}

// Program returns the program of a form, but not of Copy: its results, and its arguments and
// parameters, are in the order of the operands of the form. It is nil for ForwardMask and
// BackwardMask if no bit tells f'(x).
func (f *Function) Program(fm Form) *expr.Program {
	f.once.Do(f.make)
	return f.forms[fm]
}

// Addresses returns those of the arguments of Program. The list is not to be changed.
func (f *Function) Addresses(fm Form) []kernel.Address {
	f.once.Do(f.make)
	return f.addresses[fm]
}

// Kernel returns the kernel of the form of the function of a kind, or nil if Program does. For
// Copy the kind is ignored.
func Kernel(kind int, fm Form) *kernel.Kernel {
	if fm == Copy {
		return copyKernel()
	}
	f := Of(kind)
	f.once.Do(f.make)
	return f.kernels[fm]
}

// Shipped returns the kind and the form of k, if it is the same as a Kernel of a fused function
// or of Copy.
func Shipped(k *kernel.Kernel) (kind int, fm Form, ok bool) {
	found, ok := shipped()[k.Key]
	return found.kind, found.form, ok
}

type kindAndForm struct {
	kind int
	form Form
}

// shipped has what Shipped returns, by key.
var shipped = sync.OnceValue(func() map[string]kindAndForm {
	list := map[string]kindAndForm{}
	add := func(kind int, fm Form) {
		if k := Kernel(kind, fm); k != nil {
			if _, found := list[k.Key]; !found {
				list[k.Key] = kindAndForm{kind, fm}
			}
		}
	}
	add(0, Copy)
	for i, f := range all {
		for fm := range Form(Count) {
			if f.Fused {
				add(i+1, fm)
			}
		}
	}
	return list
})

var copyKernel = sync.OnceValue(func() *kernel.Kernel {
	return kernel.New(expr.MustParse("copy(x) = x").IR(), []kernel.Address{kernel.Element})
})

// Unparams returns the parameters of the function of a kind for which the kernel of its form has
// the given ones. ok is false if the kernel does not have them all.
func Unparams(kind int, fm Form, given []uint32) (params Params, ok bool) {
	f, k := Of(kind), Kernel(kind, fm)
	inputs := len(f.forms[fm].Args()) - len(f.params)
	if len(given) != len(f.params) {
		return params, false
	}
	for i, bits := range given {
		arg := k.Scalar(i)
		if arg < 0 {
			return params, false
		}
		params[arg-inputs] = math.Float32frombits(bits)
	}
	return params, true
}

// make makes the programs and the kernels of a function of the table.
func (f *Function) make() {
	p := expr.MustParse(f.Text)
	if f.Slope != "" {
		name, args, _ := strings.Cut(f.Text, "(")
		args, _, _ = strings.Cut(args, ")")
		p = p.WithPartial("x", expr.MustParse(name+"_dx("+args+") = "+f.Slope))
	}
	if err := f.build(p); err != nil {
		panic(err) // a row is wrong: a test makes all
	}
	if f.Requires != "" {
		head := "func requires(" + strings.Join(f.params, ", ") + " float32) (ok bool)"
		f.requires = expr.MustParse(head + " {\n\treturn " + f.Requires + "\n}")
	}
}

// build makes the programs and the kernels of p, a function of its first argument.
func (f *Function) build(p *expr.Program) error {
	x := p.Args()[0].Name
	for _, a := range p.Args()[1:] {
		f.params = append(f.params, a.Name)
	}
	f.forms[Forward], f.forms[Derivative], f.forms[Backward] = p, p.Partial(x), p.Backward(x)
	f.forms[ForwardMask], f.forms[BackwardMask] = p.Saved(x)
	var err error
	if f.forms[ForwardDerivative], err = both(p, f.forms[Derivative]); err != nil {
		return err
	}
	for fm, p := range f.forms {
		if p.Err() != nil {
			if Form(fm) < ForwardMask {
				return p.Err()
			}
			f.forms[fm] = nil
			continue
		}
		f.addresses[fm] = addresses(p, len(f.params))
		f.kernels[fm] = kernel.New(p.IR(), f.addresses[fm])
	}
	return nil
}

// both returns the program of the results of p and q, a function and its derivative.
func both(p, q *expr.Program) (*expr.Program, error) {
	if q.Err() != nil {
		return nil, q.Err()
	}
	b := expr.NewBuilder(p.Name() + "_forward_derivative")
	var args []expr.Value
	for _, a := range p.Args() {
		args = append(args, b.Arg(a.Name, a.Type))
	}
	unused := func(name string) string {
		for p.IR().ArgIndex(name) >= 0 {
			name += "_"
		}
		return name
	}
	b.Result(unused("y"), b.Call(p, args...)[0])
	b.Result(unused("d"), b.Call(q, args...)[0])
	return b.Program()
}

// addresses returns those of the arguments of p, of which the last are the parameters.
func addresses(p *expr.Program, params int) []kernel.Address {
	args := p.Args()
	list := make([]kernel.Address, len(args))
	for i, a := range args {
		switch {
		case i >= len(args)-params:
			list[i] = kernel.Scalar
		case a.Type == expr.Bool:
			list[i] = kernel.Bit
		default:
			list[i] = kernel.Element
		}
	}
	return list
}

// maxNodes is the number of nodes at most that the functions of All have.
const maxNodes = 32

// Eval returns the results of a form, from its arguments before the parameters; a form of one
// argument ignores b, and the second result of a form with one is 0. All are the bits of a
// float32, or 0 and 1. It is the reference, and allocates nothing for the functions of All.
func (f *Function) Eval(fm Form, params *Params, a, b uint64) (first, second uint64) {
	p := f.Program(fm).IR()
	var few [maxNodes]uint64
	values := few[:]
	if len(p.Nodes) > maxNodes {
		values = make([]uint64, len(p.Nodes))
	}
	args := [2 + MaxParams]uint64{a, b}
	inputs := len(p.Args) - len(f.params)
	for i := range f.params {
		args[inputs+i] = uint64(math.Float32bits(params[i]))
	}
	p.Eval(values[:len(p.Nodes)], 0, args[:])
	if len(p.Results) > 1 {
		second = values[p.Results[1].Value]
	}
	return values[p.Results[0].Value], second
}
