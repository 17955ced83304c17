package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// goSource returns the file of the kernels in plain Go. No kernel branches on data: it selects
// between integers by a comparison, which the compiler turns into a conditional move, or by a
// mask of lanes.
func goSource() []byte {
	var b strings.Builder
	b.WriteString(generated + `package cpu

import (
	"math"

	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/single"
)

// generic is plain Go, for every processor.
`)
	b.WriteString(strings.TrimPrefix(table("generic", "Generic", "", "patches: genericPatches,\n"), "\n"))
	b.WriteString(goFunctions(specs()))
	for _, name := range []string{"prefetch", "prefetchWrite"} {
		fmt.Fprintf(&b, "\n// %sGeneric does nothing: Go has no such instruction.\nfunc %[1]sGeneric(*args) {}\n", name)
	}
	return formatted(b.String())
}

// goFunctions returns the functions of list.
func goFunctions(list []spec) string {
	var b strings.Builder
	for _, s := range list {
		s.body = factored(s.body)
		(&goFunc{spec: s, out: &b}).function()
	}
	return b.String()
}

// A goFunc is a function that is being written. Operand i is oi, parameter i is pi, or bi if
// its bits are needed.
type goFunc struct {
	spec
	out    io.Writer
	before []goParam // the loop
	values []goValue // by node
	uses   []int     // by node
}

// A goParam is a variable that is set before the loop.
type goParam struct{ name, from, kind string }

func (f *goFunc) printf(format string, args ...any) { fmt.Fprintf(f.out, format+"\n", args...) }

// function writes the function, or two if there is a mask: one for the words of masks, which
// calls one for the elements of a word. That one is not inlined, since its loop would lack
// registers.
func (f *goFunc) function() {
	loop := f.loop()
	names := f.names()
	var from []string
	for i := range names {
		at := i
		if i >= len(f.results) {
			at = f.ptr[i-len(f.results)]
		}
		from = append(from, fmt.Sprintf("a.%s(%d)", f.slices(i), at))
	}
	f.printf("\n// %sGeneric computes %s.\nfunc %[1]sGeneric(a *args) {\n%[3]s := %[4]s", f.name, f.doc, strings.Join(names, ", "), strings.Join(from, ", "))
	for _, p := range f.before {
		f.printf("%s := %s", p.name, p.from)
	}
	if slices.Contains(f.operands(), kernel.Bit) {
		f.words(loop)
		return
	}
	f.shorten(names)
	f.printf("%s\n}", loop)
}

// names returns the names of the operands.
func (f *goFunc) names() []string {
	names := make([]string, len(f.operands()))
	for i := range names {
		names[i] = fmt.Sprintf("o%d", i)
	}
	return names
}

// operands returns the addresses of the results and the inputs.
func (f *goFunc) operands() []kernel.Address { return slices.Concat(f.results, f.inputs) }

// param returns the name of parameter i as a kind. It is converted before the loop.
func (f *goFunc) param(i int, kind goKind) string {
	p := goParam{fmt.Sprintf("p%d", i), fmt.Sprintf("a.params[%d]", f.spec.params[i]), "float32"}
	if kind != float {
		p = goParam{fmt.Sprintf("b%d", i), "math.Float32bits(" + p.from + ")", "uint32"}
	}
	if !slices.Contains(f.before, p) {
		f.before = append(f.before, p)
	}
	return p.name
}

// slices returns the method of args for operand i.
func (f *goFunc) slices(i int) string {
	switch {
	case f.operands()[i] == kernel.Bit:
		return "words"
	case f.typeOf(i) == ir.F32:
		return "floats"
	}
	return "uints"
}

// typeOf returns the type of operand i.
func (f *goFunc) typeOf(i int) ir.Type {
	if i < len(f.results) {
		return f.body.Nodes[f.body.Results[i].Value].Type
	}
	return f.body.Args[i-len(f.results)].Type
}

// shorten makes all slices as long as the first one, as the compiler can see.
func (f *goFunc) shorten(names []string) {
	if len(names) > 1 {
		var parts []string
		for _, name := range names[1:] {
			parts = append(parts, fmt.Sprintf("%s[:len(%s)]", name, names[0]))
		}
		f.printf("%s = %s", strings.Join(names[1:], ", "), strings.Join(parts, ", "))
	}
}

// words writes the loop over words, and the function of one word.
func (f *goFunc) words(loop string) {
	var first string
	var given, formal, set, results, shifted, elements []string
	for i, name := range f.names() {
		isMask, isResult := f.operands()[i] == kernel.Bit, i < len(f.results)
		if isMask {
			first = cmp.Or(first, name)
		} else {
			elements = append(elements, name)
		}
		switch {
		case isMask && isResult:
			set, results, shifted = append(set, name+"[w]"), append(results, name+" uint64"), append(shifted, name)
		case isMask:
			given, formal = append(given, name+"[w]"), append(formal, name+" uint64")
		default:
			given, formal = append(given, name+"[lo:hi]"), append(formal, name+" []"+strings.TrimSuffix(f.slices(i), "s")+"32")
		}
	}
	for _, p := range f.before {
		given, formal = append(given, p.name), append(formal, p.name+" "+p.kind)
	}
	call := fmt.Sprintf("%sWord(%s)", f.name, strings.Join(given, ", "))
	if len(set) > 0 {
		call = strings.Join(set, ", ") + " = " + call
	}
	f.printf("for w := range %s {\nlo, hi := 64*w, min(64*w+64, a.n)\n%s\n}\n}", first, call)

	f.printf("\n// %sWord computes 1 to 64 elements. It is not inlined: its loop would lack\n// registers.\n//\n//go:noinline", f.name)
	f.printf("func %sWord(%s) (%s) {", f.name, strings.Join(formal, ", "), strings.Join(results, ", "))
	f.shorten(elements)
	f.printf("%s", loop)
	if len(shifted) > 0 {
		for i, name := range shifted {
			shifted[i] = fmt.Sprintf("%s >> (-len(%s) & 63)", name, elements[0])
		}
		f.printf("return %s", strings.Join(shifted, ", "))
	}
	f.printf("}")
}

// loop returns the loop over elements.
func (f *goFunc) loop() string {
	out := f.out
	defer func() { f.out = out }()
	var loop strings.Builder
	f.out = &loop
	f.values, f.uses = make([]goValue, len(f.body.Nodes)), make([]int, len(f.body.Nodes))
	for _, n := range f.body.Nodes {
		for _, x := range n.Operands() {
			f.uses[x]++
		}
	}
	for _, r := range f.body.Results {
		f.uses[r.Value]++
	}
	first := slices.IndexFunc(f.operands(), func(a kernel.Address) bool { return a != kernel.Bit })
	f.printf("for i := range o%d {", first)
	for i := range f.body.Nodes {
		f.node(ir.Value(i))
	}
	for i, r := range f.body.Results {
		if f.results[i] == kernel.Bit { // the newest on top
			bit := "uint64(" + f.as(r.Value, lanes) + ")" // its lowest bit
			if f.values[r.Value].kind == truth {
				bit = "bit(" + f.values[r.Value].text + ")"
			}
			f.printf("o%[1]d = o%[1]d>>1 | %[2]s<<63", i, bit)
			continue
		}
		kind := map[ir.Type]goKind{ir.F32: float, ir.U32: integer, ir.Bool: lanes}[f.typeOf(i)]
		f.printf("o%d[i] = %s", i, trimParens(f.as(r.Value, kind)))
	}
	for i, address := range f.inputs {
		if address == kernel.Bit {
			f.printf("o%d >>= 1", len(f.results)+i)
		}
	}
	f.printf("}")
	return strings.TrimSpace(loop.String())
}

// trimParens returns text without parentheses around all of it.
func trimParens(text string) string {
	inner, ok := strings.CutPrefix(text, "(")
	depth := 1
	for i, c := range inner {
		switch c {
		case '(':
			depth++
		case ')':
			if depth--; ok && depth == 0 && i == len(inner)-1 {
				return inner[:i]
			}
		}
		if depth == 0 {
			return text
		}
	}
	return text
}
