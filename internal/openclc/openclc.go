// Package openclc prints kernels in OpenCL C 1.2. What it prints needs kernels.Prelude before
// it.
package openclc

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// Options are how a kernel is printed.
type Options struct {
	Name string // of the kernel

	// Operands has a name for each result, input and parameter. None of them is v or k,
	// followed by digits or not, nor a name of OpenCL C. If it is nil, the results are r0 and so
	// on, the inputs a0, the parameters p0.
	Operands []string

	// Guarded hides from the compiler what constants, products and the last operands of selects
	// are. Some fuse a product with a sum though FP_CONTRACT is off, some make a minimum or a
	// maximum of a select, which differ in the sign of a zero, and some take x * 0 for 0.
	Guarded bool

	// Views makes operands begin at any element of their buffers.
	Views bool

	// Doubles says that the device has double: bodies of functions compute in it, and in
	// integers otherwise. Quick makes functions that have a body in float take that first.
	Doubles, Quick bool

	// Printed has the functions that stand before the kernel already. Print adds those that it
	// prints, if it is not nil.
	Printed map[ir.Op]bool
}

// Print returns a kernel that computes k, after the functions that it calls, or an error that
// wraps errors.ErrUnsupported if k has an operation that is not printed. The arguments of the
// kernel are:
//
//   - the results, then the inputs: buffers of float, masks as uchar
//   - the number of elements, as INDEX
//   - for each input that is a Row, in their order: two INDEX, the index in the row of element
//     0, and the length of the row; for a Col three INDEX, the index in the column of element
//     0, the number of elements that have it, and how many have each of the next
//   - if k is indexed, the index of element 0, as ulong
//   - the parameters, as float or uint; a bool is the uint 0 or 1
//   - if it is guarded, the uint 0
//   - if it is of views, the first element of each operand that is no mask, as INDEX
//
// Arguments counts them.
func Print(k *kernel.Kernel, o Options) (string, error) {
	p := printer{k: k, o: o, vector: "_[k]", first: "begin(k)"}
	p.results, p.inputs, p.params = p.names()
	if err := p.functions(); err != nil {
		return "", err
	}
	p.head()
	p.firsts()
	p.loads()
	p.line(1, "EACH_VECTOR {")
	values, err := p.statements(2, rounded, k.Body, p.argument)
	if err != nil {
		return "", err
	}
	p.stores(values)
	p.line(1, "}")
	p.line(0, "}")
	return p.out.String(), nil
}

// Masked reports whether k has a mask, so that it needs vectors of 8 or 16.
func Masked(k *kernel.Kernel) bool {
	for _, list := range [2][]kernel.Address{k.Results, k.Inputs} {
		for _, a := range list {
			if a == kernel.Bit {
				return true
			}
		}
	}
	return false
}

// Arguments returns the number of arguments of the kernel that Print returns, and the bytes
// that they take at most, where an INDEX and a pointer have 8.
func Arguments(k *kernel.Kernel, o Options) (count, bytes int) {
	wide, narrow := len(k.Results)+len(k.Inputs)+1, len(k.Params)
	if o.Views {
		for _, list := range [2][]kernel.Address{k.Results, k.Inputs} {
			for _, a := range list {
				if a != kernel.Bit {
					wide++
				}
			}
		}
	}
	for _, a := range k.Inputs {
		switch a {
		case kernel.Row:
			wide += 2
		case kernel.Col:
			wide += 3
		}
	}
	if k.Indexed {
		wide++
	}
	if o.Guarded {
		narrow++
	}
	return wide + narrow, 8*wide + 4*narrow
}

// A printer prints one kernel.
type printer struct {
	k   *kernel.Kernel
	o   Options
	out strings.Builder

	results, inputs, params []string // names

	vector, first string // what follows the name of an input to be a vector, and its first element
}

func (p *printer) line(indent int, format string, args ...any) {
	p.out.WriteString(strings.Repeat("    ", indent))
	fmt.Fprintf(&p.out, format, args...)
	p.out.WriteByte('\n')
}

// names returns the names of the operands.
func (p *printer) names() (results, inputs, params []string) {
	all := p.o.Operands
	if all == nil {
		for _, list := range []struct {
			letter string
			n      int
		}{{"r", len(p.k.Results)}, {"a", len(p.k.Inputs)}, {"p", len(p.k.Params)}} {
			for i := range list.n {
				all = append(all, list.letter+strconv.Itoa(i))
			}
		}
	}
	r, a := len(p.k.Results), len(p.k.Results)+len(p.k.Inputs)
	return all[:r], all[r:a], all[a:]
}

// head prints the name and the arguments.
func (p *printer) head() {
	args, _ := p.arguments()
	p.wrapped("kernel void "+p.o.Name+"(", args)
	p.line(0, "{")
}

// arguments returns the declarations of the arguments, and their names.
func (p *printer) arguments() (declared, names []string) {
	add := func(t string, list ...string) {
		for _, name := range list {
			declared, names = append(declared, t+name), append(names, name)
		}
	}
	for i, r := range p.results {
		add("global "+element(p.k.Results[i])+" *", r)
	}
	for i, a := range p.inputs {
		add("global const "+element(p.k.Inputs[i])+" *", a)
	}
	add("const INDEX ", "n")
	for i, a := range p.inputs {
		switch p.k.Inputs[i] {
		case kernel.Row:
			add("const INDEX ", a+"_start", a+"_length")
		case kernel.Col:
			add("const INDEX ", a+"_base", a+"_until", a+"_period")
		}
	}
	if p.k.Indexed {
		add("const ulong ", "index")
	}
	for i, name := range p.params {
		if p.k.Params[i] == ir.F32 {
			add("const float ", name)
		} else {
			add("const uint ", name)
		}
	}
	if p.o.Guarded {
		add("const uint ", "zero")
	}
	for _, name := range p.viewed() {
		add("const INDEX ", name+"_first")
	}
	return declared, names
}

// viewed returns the names of the operands that may be views.
func (p *printer) viewed() (names []string) {
	if !p.o.Views {
		return nil
	}
	for i, a := range p.k.Results {
		if a != kernel.Bit {
			names = append(names, p.results[i])
		}
	}
	for i, a := range p.k.Inputs {
		if a != kernel.Bit {
			names = append(names, p.inputs[i])
		}
	}
	return names
}

// firsts prints how operands that are views get to their first elements.
func (p *printer) firsts() {
	for _, name := range p.viewed() {
		p.line(1, "%s += %[1]s_first;", name)
	}
}

// wrapped prints a declaration in lines of at most 120 characters.
func (p *printer) wrapped(begin string, args []string) {
	line := begin
	for i, arg := range args {
		switch {
		case i == 0:
		case len(line)+len(", ")+len(arg)+len(")") > 120:
			p.line(0, "%s,", line)
			line = strings.Repeat(" ", len(begin))
		default:
			line += ", "
		}
		line += arg
	}
	p.line(0, "%s)", line)
}

// element returns the type of what a buffer or a mask consists of.
func element(a kernel.Address) string {
	if a == kernel.Bit {
		return "uchar"
	}
	return "float"
}

// loads prints how all vectors of the inputs are read.
func (p *printer) loads() {
	p.line(1, "const bool full = whole(n);")
	var whole, some, repeated []string
	for i, a := range p.inputs {
		vector := "FLOATS"
		load := func(list *[]string, format string) {
			*list = append(*list, fmt.Sprintf("EACH_VECTOR %[1]s_[k] = "+format+";", a))
		}
		switch p.k.Inputs[i] {
		case kernel.Element:
			load(&whole, "LOAD(%[1]s + begin(k))")
			load(&some, "load_some(%[1]s, begin(k), n)")
		case kernel.Bit:
			vector = "INTS"
			load(&whole, "mask_load(%[1]s, begin(k))")
			load(&some, "mask_load_some(%[1]s, begin(k), n)")
		case kernel.Row:
			load(&repeated, "load_row(%[1]s, begin(k), %[1]s_start, %[1]s_length)")
		case kernel.Col:
			load(&repeated, "load_column(%[1]s, begin(k), %[1]s_base, %[1]s_until, %[1]s_period, n)")
		}
		p.line(1, "%s %s_[VECTORS];", vector, a)
	}
	if len(whole) > 0 {
		p.branches(1, whole, some)
	}
	for _, load := range repeated {
		p.line(1, "%s", load)
	}
}

// branches prints what is done if all elements are below n, and what otherwise.
func (p *printer) branches(indent int, whole, some []string) {
	p.line(indent, "if (full) {")
	for _, s := range whole {
		p.line(indent+1, "%s", s)
	}
	p.line(indent, "} else {")
	for _, s := range some {
		p.line(indent+1, "%s", s)
	}
	p.line(indent, "}")
}

// argument returns how to write an argument of the body.
func (p *printer) argument(i int) value {
	if i < len(p.inputs) {
		return value{text: p.inputs[i] + p.vector}
	}
	i -= len(p.inputs)
	if p.k.Params[i] == ir.Bool {
		return value{text: fmt.Sprintf("(INTS)(-(int)%s)", p.params[i])}
	}
	return value{p.params[i], true}
}

// stores prints how the results are written.
func (p *printer) stores(values []value) {
	var whole, some []string
	for i, r := range p.results {
		result := p.k.Body.Results[i].Value
		v := values[result].vector(p.k.Body.Nodes[result].Type)
		if p.k.Results[i] == kernel.Bit {
			whole = append(whole, fmt.Sprintf("mask_store(%s, %s, begin(k));", v, r))
			some = append(some, fmt.Sprintf("mask_store_some(%s, %s, begin(k), n);", v, r))
			continue
		}
		whole = append(whole, fmt.Sprintf("STORE(%s, %s + begin(k));", v, r))
		some = append(some, fmt.Sprintf("store_some(%s, %s, begin(k), n);", v, r))
	}
	p.branches(2, whole, some)
}
