// Package openclc prints kernels in OpenCL C 1.2. What it prints needs kernels.Prelude before
// it.
package openclc

import (
	"errors"
	"fmt"
	"math"
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
}

// Print returns a kernel that computes k, or an error that wraps errors.ErrUnsupported if k
// has an operation that is not printed. The arguments of the kernel are:
//
//   - the results, then the inputs: buffers of float, masks as uchar
//   - the number of elements, as INDEX
//   - for each input that is a Row, in their order: two INDEX, the index in the row of element
//     0, and the length of the row; for a Col three INDEX, the index in the column of element
//     0, the number of elements that have it, and how many have each of the next
//   - if k is indexed, the index of element 0, as ulong
//   - the parameters, as float or uint; a bool is the uint 0 or 1
//   - if it is guarded, the uint 0
//
// Arguments and Size count them.
func Print(k *kernel.Kernel, o Options) (string, error) {
	p := printer{k: k, o: o}
	p.results, p.inputs, p.params = p.names()
	p.head()
	p.loads()
	p.line(1, "EACH_VECTOR {")
	if err := p.statements(); err != nil {
		return "", err
	}
	p.stores()
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
func Arguments(k *kernel.Kernel, guarded bool) (count, bytes int) {
	wide, narrow := len(k.Results)+len(k.Inputs)+1, len(k.Params)
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
	if guarded {
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
	values                  []value  // of the nodes of the body
}

// A value is how an expression refers to a node.
type value struct {
	text   string
	scalar bool // and not a vector
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

// head prints the name and the arguments, and what they need.
func (p *printer) head() {
	var args []string
	add := func(format string, names ...any) { args = append(args, fmt.Sprintf(format, names...)) }
	for i, r := range p.results {
		add("global %s *%s", element(p.k.Results[i]), r)
	}
	for i, a := range p.inputs {
		add("global const %s *%s", element(p.k.Inputs[i]), a)
	}
	add("const INDEX n")
	for i, a := range p.inputs {
		switch p.k.Inputs[i] {
		case kernel.Row:
			add("const INDEX %s_start, const INDEX %[1]s_length", a)
		case kernel.Col:
			add("const INDEX %s_base, const INDEX %[1]s_until, const INDEX %[1]s_period", a)
		}
	}
	if p.k.Indexed {
		add("const ulong index")
	}
	for i, name := range p.params {
		t := "uint"
		if p.k.Params[i] == ir.F32 {
			t = "float"
		}
		add("const %s %s", t, name)
	}
	if p.o.Guarded {
		add("const uint zero")
	}
	p.wrapped("kernel void "+p.o.Name+"(", args)
	p.line(0, "{")
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

// statements prints each operation.
func (p *printer) statements() error {
	nodes := p.k.Body.Nodes
	p.values = make([]value, len(nodes))
	next := 0
	for i := range nodes {
		n := &nodes[i]
		switch {
		case n.Op == ir.Const:
			p.values[i] = p.constant(n)
			continue
		case n.Op == ir.Arg:
			p.values[i] = p.argument(int(n.Imm))
			continue
		}
		text, err := p.expression(n)
		if err != nil {
			return err
		}
		name := "v" + strconv.Itoa(next)
		next++
		p.line(2, "const %s %s = %s;", vectorOf(n.Type), name, text)
		p.values[i] = value{text: name}
	}
	return nil
}

// vectorOf returns the vector that has a value of type t of each element.
func vectorOf(t ir.Type) string {
	return map[ir.Type]string{ir.F32: "FLOATS", ir.U32: "UINTS", ir.Bool: "INTS"}[t]
}

// constant returns how to write a constant.
func (p *printer) constant(n *ir.Node) value {
	switch {
	case n.Type == ir.F32 && p.o.Guarded:
		return value{fmt.Sprintf("as_float(0x%08xu ^ zero)", n.Imm), true}
	case n.Type == ir.Bool:
		return value{text: fmt.Sprintf("(INTS)(%d)", -int64(n.Imm))}
	case n.Type == ir.U32:
		if n.Imm < 1<<16 {
			return value{fmt.Sprintf("%du", n.Imm), true}
		}
		return value{fmt.Sprintf("0x%08xu", n.Imm), true}
	}
	return value{float(math.Float32frombits(uint32(n.Imm))), true}
}

// float writes a constant in decimal if that is short, and otherwise as its bits.
func float(x float32) string {
	text := strconv.FormatFloat(float64(x), 'g', -1, 32)
	if len(text) > 9 || strings.ContainsAny(text, "NIe") { // NaN, Inf, an exponent
		return fmt.Sprintf("as_float(0x%08xu)", math.Float32bits(x))
	}
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text + "f"
}

// argument returns how to write an argument of the body.
func (p *printer) argument(i int) value {
	if i < len(p.inputs) {
		return value{text: p.inputs[i] + "_[k]"}
	}
	i -= len(p.inputs)
	if p.k.Params[i] == ir.Bool {
		return value{text: fmt.Sprintf("(INTS)(-(int)%s)", p.params[i])}
	}
	return value{p.params[i], true}
}

// forms has how operations are written. An operator takes a scalar as it is, unless no operand
// is a vector; a call takes vectors.
var forms = map[ir.Op]struct {
	text     string
	operator bool
}{
	ir.NegF32:   {"-%[1]s", false},
	ir.AddF32:   {"%[1]s + %[2]s", true},
	ir.SubF32:   {"%[1]s - %[2]s", true},
	ir.MulF32:   {"%[1]s * %[2]s", true},
	ir.DivF32:   {"divide(%[1]s, %[2]s)", false},
	ir.FMA:      {"fused(%[1]s, %[2]s, %[3]s)", false},
	ir.Sqrt:     {"square_root(%[1]s)", false},
	ir.Abs:      {"fabs(%[1]s)", false},
	ir.Copysign: {"with_sign(%[1]s, %[2]s)", false},
	ir.Min:      {"select(%[2]s, %[1]s, %[1]s < %[2]s)", false},
	ir.Max:      {"select(%[2]s, %[1]s, %[1]s > %[2]s)", false},
	ir.Floor:    {"floor(%[1]s)", false},
	ir.Ceil:     {"ceil(%[1]s)", false},
	ir.Trunc:    {"trunc(%[1]s)", false},
	ir.Rint:     {"rint(%[1]s)", false},
	ir.EqF32:    {"%[1]s == %[2]s", true},
	ir.LtF32:    {"%[1]s < %[2]s", true},
	ir.LeF32:    {"%[1]s <= %[2]s", true},
	ir.WhereF32: {"select(%[3]s, %[2]s, %[1]s)", false},

	ir.And: {"%[1]s & %[2]s", true},
	ir.Or:  {"%[1]s | %[2]s", true},
	ir.Not: {"~%[1]s", false},

	ir.AddU32:   {"%[1]s + %[2]s", true},
	ir.SubU32:   {"%[1]s - %[2]s", true},
	ir.MulU32:   {"%[1]s * %[2]s", true},
	ir.AndU32:   {"%[1]s & %[2]s", true},
	ir.OrU32:    {"%[1]s | %[2]s", true},
	ir.XorU32:   {"%[1]s ^ %[2]s", true},
	ir.ShlU32:   {"%[1]s << %[2]s", false},
	ir.ShrU32:   {"%[1]s >> %[2]s", false},
	ir.EqU32:    {"%[1]s == %[2]s", true},
	ir.LtU32:    {"%[1]s < %[2]s", true},
	ir.WhereU32: {"select(%[3]s, %[2]s, %[1]s)", false},

	ir.F32FromU32: {"TO_FLOATS(%[1]s)", false},
	ir.U32FromF32: {"to_uint(%[1]s)", false},
	ir.Bits:       {"float_bits(%[1]s)", false},
	ir.FromBits:   {"AS_FLOATS(%[1]s)", false},
	ir.RandBits:   {"random_bits(%[1]s, %[2]s, index + begin(k))", false},
}

// expression returns how to write the operation of n.
func (p *printer) expression(n *ir.Node) (string, error) {
	form, ok := forms[n.Op]
	if !ok {
		return "", fmt.Errorf("%s on OpenCL: %w", n.Op.Info().Name, errors.ErrUnsupported)
	}
	bare := false // a scalar may stay one
	if form.operator {
		for _, x := range n.Operands() {
			bare = bare || !p.values[x].scalar
		}
	}
	var operands []any
	for _, x := range n.Operands() {
		v := p.values[x]
		if v.scalar && !bare {
			v.text = fmt.Sprintf("(%s)(%s)", vectorOf(p.k.Body.Nodes[x].Type), v.text)
		}
		operands = append(operands, v.text)
	}
	if !p.o.Guarded {
		return fmt.Sprintf(form.text, operands...), nil
	}
	const hidden = "AS_FLOATS(AS_UINTS(%[1]s) ^ zero)"
	switch n.Op {
	case ir.MulF32:
		return fmt.Sprintf(hidden, fmt.Sprintf(form.text, operands...)), nil
	case ir.WhereF32:
		operands[2] = fmt.Sprintf(hidden, operands[2])
	case ir.Min, ir.Max:
		return fmt.Sprintf("select("+hidden+", %[2]s, %[2]s %[3]s %[1]s)", operands[1], operands[0],
			map[ir.Op]string{ir.Min: "<", ir.Max: ">"}[n.Op]), nil
	}
	return fmt.Sprintf(form.text, operands...), nil
}

// stores prints how the results are written.
func (p *printer) stores() {
	var whole, some []string
	for i, r := range p.results {
		result := p.k.Body.Results[i].Value
		v := p.values[result]
		if v.scalar {
			v.text = fmt.Sprintf("(%s)(%s)", vectorOf(p.k.Body.Nodes[result].Type), v.text)
		}
		if p.k.Results[i] == kernel.Bit {
			whole = append(whole, fmt.Sprintf("mask_store(%s, %s, begin(k));", v.text, r))
			some = append(some, fmt.Sprintf("mask_store_some(%s, %s, begin(k), n);", v.text, r))
			continue
		}
		whole = append(whole, fmt.Sprintf("STORE(%s, %s + begin(k));", v.text, r))
		some = append(some, fmt.Sprintf("store_some(%s, %s, begin(k), n);", v.text, r))
	}
	p.branches(2, whole, some)
}
