package openclc

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/gmind-go/compute/internal/ir"
)

// vectorOf has the vector that has a value of the type of each element.
var vectorOf = map[ir.Type]string{ir.F32: "FLOATS", ir.U32: "UINTS", ir.Bool: "INTS", ir.F64: "DOUBLES", ir.U64: "ULONGS"}

// A value is how an expression refers to a node.
type value struct {
	text   string
	scalar bool // and not a vector
}

// vector returns the text of a value of type t as a vector.
func (v value) vector(t ir.Type) string {
	if v.scalar {
		return fmt.Sprintf("(%s)(%s)", vectorOf[t], v.text)
	}
	return v.text
}

// A notation has how operations are written. An operator takes a scalar as it is, unless no
// operand is a vector; a call takes vectors.
type notation map[ir.Op]struct {
	text     string
	operator bool
}

// rounded has all operations, each as IEEE 754 has it.
var rounded = notation{
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
	ir.RandBits:   {"random_bits(%[1]s, %[2]s, index + %[3]s)", false},

	ir.NegF64:      {"-%[1]s", false},
	ir.AddF64:      {"%[1]s + %[2]s", true},
	ir.SubF64:      {"%[1]s - %[2]s", true},
	ir.MulF64:      {"%[1]s * %[2]s", true},
	ir.DivF64:      {"%[1]s / %[2]s", true},
	ir.FMAF64:      {"fma(%[1]s, %[2]s, %[3]s)", false},
	ir.WhereF64:    {"select(%[3]s, %[2]s, TO_LONGS(%[1]s))", false},
	ir.AddU64:      {"%[1]s + %[2]s", true},
	ir.AndU64:      {"%[1]s & %[2]s", true},
	ir.OrU64:       {"%[1]s | %[2]s", true},
	ir.ShlU64:      {"%[1]s << %[2]s", true},
	ir.ShrU64:      {"%[1]s >> %[2]s", true},
	ir.F64FromF32:  {"to_doubles(%[1]s)", false},
	ir.F32FromF64:  {"to_floats(%[1]s)", false},
	ir.BitsF64:     {"AS_ULONGS(%[1]s)", false},
	ir.FromBitsF64: {"AS_DOUBLES(%[1]s)", false},
}

// guessed is the notation of quick bodies, for which a quotient need not be right in its last
// bits.
var guessed = func() notation {
	l := maps.Clone(rounded)
	form := l[ir.DivF32]
	form.text, form.operator = "%[1]s / %[2]s", true
	l[ir.DivF32] = form
	return l
}()

// statements prints each operation of a program, whose arguments are written as argument
// returns, and returns how to refer to its nodes.
func (p *printer) statements(indent int, l notation, program *ir.Program, argument func(i int) value) ([]value, error) {
	values := make([]value, len(program.Nodes))
	next := 0
	for i := range program.Nodes {
		n := &program.Nodes[i]
		switch {
		case n.Op == ir.Const:
			values[i] = p.constant(n)
			continue
		case n.Op == ir.Arg:
			values[i] = argument(int(n.Imm))
			continue
		}
		text, err := p.expression(l, program, n, values)
		if err != nil {
			return nil, err
		}
		name := "v" + strconv.Itoa(next)
		next++
		p.line(indent, "const %s %s = %s;", vectorOf[n.Type], name, text)
		values[i] = value{text: name}
	}
	return values, nil
}

// constant returns how to write a constant.
func (p *printer) constant(n *ir.Node) value {
	switch {
	case n.Type == ir.F32 && p.o.Guarded:
		return value{fmt.Sprintf("as_float(0x%08xu ^ zero)", n.Imm), true}
	case n.Type == ir.F64 && p.o.Guarded:
		return value{fmt.Sprintf("as_double(0x%016xul ^ zero)", n.Imm), true}
	case n.Type == ir.F64:
		return value{double(math.Float64frombits(n.Imm)), true}
	case n.Type == ir.U64:
		return value{fmt.Sprintf("0x%016xul", n.Imm), true}
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

// double writes a constant in hexadecimal, which is exact, or as its bits if it is not finite.
func double(x float64) string {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return fmt.Sprintf("as_double(0x%016xul)", math.Float64bits(x))
	}
	return strconv.FormatFloat(x, 'x', -1, 64)
}

// hidden and hiddenDouble return a value by a way that a compiler cannot look through.
const (
	hidden       = "AS_FLOATS(AS_UINTS(%[1]s) ^ zero)"
	hiddenDouble = "AS_DOUBLES(AS_ULONGS(%[1]s) ^ zero)"
)

// expression returns how to write the operation of n, a node of the program.
func (p *printer) expression(l notation, program *ir.Program, n *ir.Node, values []value) (string, error) {
	if n.Op.Info().Function {
		return p.call(functionName(n.Op), values[n.In[0]].vector(ir.F32)), nil
	}
	form, ok := l[n.Op]
	if !ok {
		return "", fmt.Errorf("%s on OpenCL: %w", n.Op.Info().Name, errors.ErrUnsupported)
	}
	bare := false // a scalar may stay one
	if form.operator {
		for _, x := range n.Operands() {
			bare = bare || !values[x].scalar
		}
	}
	var operands []any
	for _, x := range n.Operands() {
		text := values[x].text
		if !bare {
			text = values[x].vector(program.Nodes[x].Type)
		}
		operands = append(operands, text)
	}
	if n.Op == ir.RandBits {
		operands = append(operands, p.first)
	}
	if !p.o.Guarded {
		return fmt.Sprintf(form.text, operands...), nil
	}
	switch n.Op {
	case ir.MulF32:
		return fmt.Sprintf(hidden, fmt.Sprintf(form.text, operands...)), nil
	case ir.MulF64:
		return fmt.Sprintf(hiddenDouble, fmt.Sprintf(form.text, operands...)), nil
	case ir.WhereF32:
		operands[2] = fmt.Sprintf(hidden, operands[2])
	case ir.WhereF64:
		operands[2] = fmt.Sprintf(hiddenDouble, operands[2])
	case ir.Min, ir.Max:
		return fmt.Sprintf("select("+hidden+", %[2]s, %[2]s %[3]s %[1]s)", operands[1], operands[0],
			map[ir.Op]string{ir.Min: "<", ir.Max: ">"}[n.Op]), nil
	}
	return fmt.Sprintf(form.text, operands...), nil
}
