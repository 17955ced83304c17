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

// A notation is how the values and the operations of a program are written.
type notation struct {
	types    map[ir.Type]string
	forms    map[ir.Op]operation
	constant func(p *printer, n *ir.Node) value
	product  map[ir.Op]string // guards the text of a product
	chosen   map[ir.Op]string // guards the last operand of a select
}

// An operation is how it is written. An operator takes a scalar as it is, unless no operand
// is a vector; a call takes vectors.
type operation struct {
	text     string
	operator bool
}

// A value is how an expression refers to a node.
type value struct {
	text   string
	scalar bool // and not a vector
}

// whole returns the text of a value of type t that is no mere scalar.
func (l *notation) whole(v value, t ir.Type) string {
	if v.scalar {
		return fmt.Sprintf("(%s)(%s)", l.types[t], v.text)
	}
	return v.text
}

// hidden and hiddenDouble return a value by a way that a compiler cannot look through.
const (
	hidden       = "AS_FLOATS(AS_UINTS(%[1]s) ^ zero)"
	hiddenDouble = "AS_DOUBLES(AS_ULONGS(%[1]s) ^ zero)"
)

// vectors is the notation of kernels: a value is a vector of WIDTH elements.
var vectors = &notation{
	types: map[ir.Type]string{ir.F32: "FLOATS", ir.U32: "UINTS", ir.Bool: "INTS", ir.F64: "DOUBLES", ir.U64: "ULONGS"},
	forms: map[ir.Op]operation{
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

		ir.NegF64:      {"-%[1]s", false},
		ir.AddF64:      {"%[1]s + %[2]s", true},
		ir.SubF64:      {"%[1]s - %[2]s", true},
		ir.MulF64:      {"%[1]s * %[2]s", true},
		ir.DivF64:      {"%[1]s / %[2]s", true},
		ir.FMAF64:      {"fma(%[1]s, %[2]s, %[3]s)", false},
		ir.WhereF64:    {"select(%[3]s, %[2]s, TO_LONGS(%[1]s))", false},
		ir.AddU64:      {"%[1]s + %[2]s", true},
		ir.SubU64:      {"%[1]s - %[2]s", true},
		ir.AndU64:      {"%[1]s & %[2]s", true},
		ir.OrU64:       {"%[1]s | %[2]s", true},
		ir.ShlU64:      {"%[1]s << %[2]s", true},
		ir.ShrU64:      {"%[1]s >> %[2]s", true},
		ir.F64FromF32:  {"to_doubles(%[1]s)", false},
		ir.F32FromF64:  {"to_floats(%[1]s)", false},
		ir.BitsF64:     {"AS_ULONGS(%[1]s)", false},
		ir.FromBitsF64: {"AS_DOUBLES(%[1]s)", false},
	},
	constant: (*printer).vectorConstant,
	product:  map[ir.Op]string{ir.MulF32: hidden, ir.MulF64: hiddenDouble},
	chosen:   map[ir.Op]string{ir.WhereF32: hidden, ir.WhereF64: hiddenDouble},
}

// guesses is the notation of quick bodies: like vectors, but a quotient need not be right in its
// last bits.
var guesses = func() *notation {
	l := *vectors
	l.forms = maps.Clone(l.forms)
	l.forms[ir.DivF32] = operation{"%[1]s / %[2]s", true}
	return &l
}()

// integers is the notation of one element on a device without double: float and double are
// their bits, as uint and ulong. Sums and products of float must be of normal numbers: devices
// may flush others.
var integers = &notation{
	types: map[ir.Type]string{ir.F32: "uint", ir.U32: "uint", ir.Bool: "bool", ir.F64: "ulong", ir.U64: "ulong"},
	forms: map[ir.Op]operation{
		ir.NegF32:   {text: "%[1]s ^ 0x80000000u"},
		ir.AddF32:   {text: "as_uint(as_float(%[1]s) + as_float(%[2]s))"},
		ir.SubF32:   {text: "as_uint(as_float(%[1]s) - as_float(%[2]s))"},
		ir.MulF32:   {text: "as_uint(as_float(%[1]s) * as_float(%[2]s))"},
		ir.FMA:      {text: "as_uint(fma(as_float(%[1]s), as_float(%[2]s), as_float(%[3]s)))"},
		ir.Abs:      {text: "%[1]s & 0x7fffffffu"},
		ir.Copysign: {text: "(%[1]s & 0x7fffffffu) | (bits32(%[2]s) & 0x80000000u)"},
		ir.Min:      {text: "less32(%[1]s, %[2]s) ? %[1]s : %[2]s"},
		ir.Max:      {text: "less32(%[2]s, %[1]s) ? %[1]s : %[2]s"},
		ir.EqF32:    {text: "equal32(%[1]s, %[2]s)"},
		ir.LtF32:    {text: "less32(%[1]s, %[2]s)"},
		ir.LeF32:    {text: "less32(%[1]s, %[2]s) || equal32(%[1]s, %[2]s)"},
		ir.WhereF32: {text: "%[1]s ? %[2]s : %[3]s"},
		ir.Bits:     {text: "bits32(%[1]s)"},
		ir.FromBits: {text: "%[1]s"},

		ir.And: {text: "%[1]s && %[2]s"},
		ir.Or:  {text: "%[1]s || %[2]s"},
		ir.Not: {text: "!%[1]s"},

		ir.AddU32:   {text: "%[1]s + %[2]s"},
		ir.SubU32:   {text: "%[1]s - %[2]s"},
		ir.MulU32:   {text: "%[1]s * %[2]s"},
		ir.AndU32:   {text: "%[1]s & %[2]s"},
		ir.OrU32:    {text: "%[1]s | %[2]s"},
		ir.XorU32:   {text: "%[1]s ^ %[2]s"},
		ir.ShlU32:   {text: "%[1]s << %[2]s"},
		ir.ShrU32:   {text: "%[1]s >> %[2]s"},
		ir.EqU32:    {text: "%[1]s == %[2]s"},
		ir.LtU32:    {text: "%[1]s < %[2]s"},
		ir.WhereU32: {text: "%[1]s ? %[2]s : %[3]s"},

		ir.NegF64:      {text: "%[1]s ^ SIGN64"},
		ir.AddF64:      {text: "add64(%[1]s, %[2]s)"},
		ir.SubF64:      {text: "add64(%[1]s, %[2]s ^ SIGN64)"},
		ir.MulF64:      {text: "mul64(%[1]s, %[2]s)"},
		ir.DivF64:      {text: "div64(%[1]s, %[2]s)"},
		ir.FMAF64:      {text: "fma64(%[1]s, %[2]s, %[3]s)"},
		ir.WhereF64:    {text: "%[1]s ? %[2]s : %[3]s"},
		ir.AddU64:      {text: "%[1]s + %[2]s"},
		ir.SubU64:      {text: "%[1]s - %[2]s"},
		ir.AndU64:      {text: "%[1]s & %[2]s"},
		ir.OrU64:       {text: "%[1]s | %[2]s"},
		ir.ShlU64:      {text: "%[1]s << %[2]s"},
		ir.ShrU64:      {text: "%[1]s >> %[2]s"},
		ir.F64FromF32:  {text: "from32(%[1]s)"},
		ir.F32FromF64:  {text: "to32(%[1]s)"},
		ir.BitsF64:     {text: "%[1]s"},
		ir.FromBitsF64: {text: "%[1]s"},
	},
	constant: (*printer).integerConstant,
	product:  map[ir.Op]string{ir.MulF32: "(%[1]s ^ zero)"},
}

// statements prints each operation of a program, whose arguments are written as argument
// returns, and returns how to refer to its nodes.
func (p *printer) statements(indent int, l *notation, program *ir.Program, argument func(i int) value) ([]value, error) {
	values := make([]value, len(program.Nodes))
	next := 0
	for i := range program.Nodes {
		n := &program.Nodes[i]
		switch {
		case n.Op == ir.Const:
			values[i] = l.constant(p, n)
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
		p.line(indent, "const %s %s = %s;", l.types[n.Type], name, text)
		values[i] = value{text: name}
	}
	return values, nil
}

// vectorConstant returns how to write a constant as a scalar of a vector, or a vector.
func (p *printer) vectorConstant(n *ir.Node) value {
	switch {
	case n.Type == ir.F32 && p.o.Guarded:
		return value{fmt.Sprintf("as_float(0x%08xu ^ zero)", n.Imm), true}
	case n.Type == ir.F64 && p.o.Guarded:
		return value{fmt.Sprintf("as_double(0x%016xul ^ zero)", n.Imm), true}
	case n.Type == ir.F64:
		return value{double(math.Float64frombits(n.Imm)), true}
	case n.Type == ir.Bool:
		return value{text: fmt.Sprintf("(INTS)(%d)", -int64(n.Imm))}
	case n.Type != ir.F32:
		return p.integerConstant(n)
	}
	return value{float(math.Float32frombits(uint32(n.Imm))), true}
}

// integerConstant returns how to write the bits of a constant.
func (p *printer) integerConstant(n *ir.Node) value {
	switch {
	case n.Type == ir.Bool:
		return value{text: strconv.FormatBool(n.Imm != 0)}
	case n.Type == ir.F64 || n.Type == ir.U64:
		return value{fmt.Sprintf("0x%016xul", n.Imm), true}
	case n.Type == ir.U32 && n.Imm < 1<<16:
		return value{fmt.Sprintf("%du", n.Imm), true}
	}
	return value{fmt.Sprintf("0x%08xu", n.Imm), true}
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

// expression returns how to write the operation of n, a node of the program.
func (p *printer) expression(l *notation, program *ir.Program, n *ir.Node, values []value) (string, error) {
	if n.Op.Info().Function {
		return p.call(functionName(n.Op), l.whole(values[n.In[0]], ir.F32)), nil
	}
	form, ok := l.forms[n.Op]
	if !ok {
		return "", fmt.Errorf("%s on OpenCL: %w", n.Op.Info().Name, errors.ErrUnsupported)
	}
	bare := l == integers // a scalar may stay one
	if form.operator {
		for _, x := range n.Operands() {
			bare = bare || !values[x].scalar
		}
	}
	var operands []any
	for _, x := range n.Operands() {
		text := values[x].text
		if !bare {
			text = l.whole(values[x], program.Nodes[x].Type)
		}
		operands = append(operands, text)
	}
	if !p.o.Guarded {
		return fmt.Sprintf(form.text, operands...), nil
	}
	if guard := l.product[n.Op]; guard != "" {
		return fmt.Sprintf(guard, fmt.Sprintf(form.text, operands...)), nil
	}
	if guard := l.chosen[n.Op]; guard != "" {
		operands[2] = fmt.Sprintf(guard, operands[2])
	}
	if l != integers && (n.Op == ir.Min || n.Op == ir.Max) {
		return fmt.Sprintf("select("+hidden+", %[2]s, %[2]s %[3]s %[1]s)", operands[1], operands[0],
			map[ir.Op]string{ir.Min: "<", ir.Max: ">"}[n.Op]), nil
	}
	return fmt.Sprintf(form.text, operands...), nil
}
