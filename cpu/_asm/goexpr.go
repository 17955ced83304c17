package main

import (
	"fmt"
	"log"
	"math"
	"strconv"
	"strings"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// A goValue is an expression for a value. A bool is a comparison or lanes, a uint32 of ones
// or zeros; a float32 is a float or its bits, a uint32; a float64 is a double or its bits, a
// word.
type goValue struct {
	text string
	kind goKind
}

type goKind int

const (
	integer goKind = iota // a uint32
	float                 // a float32
	bits                  // of a float32
	truth                 // a bool
	lanes
	double // a float64
	word   // a uint64, or the bits of a float64
)

// as returns an expression of v of a kind.
func (f *goFunc) as(v ir.Value, kind goKind) string {
	x := f.values[v]
	n := f.body.Nodes[v]
	switch {
	case n.Op == ir.Arg && f.uniform(v):
		return f.param(int(n.Imm)-len(f.inputs), kind)
	case x.kind == kind:
		return x.text
	case n.Op == ir.Const && (kind == bits || kind == word):
		return fmt.Sprintf("%#x", n.Imm)
	case kind == bits:
		return "math.Float32bits(" + x.text + ")"
	case kind == float:
		return "math.Float32frombits(" + x.text + ")"
	case kind == double:
		return "math.Float64frombits(" + trimParens(x.text) + ")"
	case kind == word:
		return "math.Float64bits(" + x.text + ")"
	case kind == lanes:
		return "lane(" + x.text + ")"
	}
	log.Fatalf("%s: a value has the kind %d and should have %d", f.name, x.kind, kind)
	return ""
}

// set makes text the expression of v, or a variable that has it if it is needed several times.
// Each result of an operation on float64 is a variable, as there are many in one function.
func (f *goFunc) set(v ir.Value, kind goKind, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if f.uses[v] > 1 && kind != truth || kind == double {
		f.printf("v%d := %s", v, trimParens(text))
		text = fmt.Sprintf("v%d", v)
	}
	f.values[v] = goValue{text, kind}
}

// variable is set for what is needed several times in one operation.
func (f *goFunc) variable(v ir.Value, kind goKind) string {
	text := f.as(v, kind)
	if strings.ContainsAny(text, " ([") && f.body.Nodes[v].Op != ir.Const {
		name := fmt.Sprintf("v%d", v)
		if f.values[v].text == name { // its bits
			name = fmt.Sprintf("x%d", v)
		}
		f.printf("%s := %s", name, text)
		text = name
		f.values[v] = goValue{text, kind}
	}
	return text
}

// goOps are the expressions of operations: the kind of the operands, and of the result.
var goOps = map[ir.Op]struct {
	in, out goKind
	text    string
}{
	ir.AddF32:     {float, float, "(%s + %s)"},
	ir.SubF32:     {float, float, "(%s - %s)"},
	ir.MulF32:     {float, float, "float32(%s * %s)"},
	ir.DivF32:     {float, float, "(%s / %s)"},
	ir.FMA:        {float, float, "single.FMA(%s, %s, %s)"},
	ir.Sqrt:       {float, float, "float32(math.Sqrt(float64(%s)))"},
	ir.Floor:      {float, float, "float32(math.Floor(float64(%s)))"},
	ir.Ceil:       {float, float, "float32(math.Ceil(float64(%s)))"},
	ir.Trunc:      {float, float, "float32(math.Trunc(float64(%s)))"},
	ir.Rint:       {float, float, "float32(math.RoundToEven(float64(%s)))"},
	ir.NegF32:     {bits, bits, "(%s ^ 1<<31)"},
	ir.Abs:        {bits, bits, "(%s &^ (1 << 31))"},
	ir.EqF32:      {float, truth, "%s == %s"},
	ir.LtF32:      {float, truth, "%s < %s"},
	ir.LeF32:      {float, truth, "%s <= %s"},
	ir.And:        {lanes, lanes, "(%s & %s)"},
	ir.Or:         {lanes, lanes, "(%s | %s)"},
	ir.Not:        {lanes, lanes, "^%s"},
	ir.AddU32:     {integer, integer, "(%s + %s)"},
	ir.SubU32:     {integer, integer, "(%s - %s)"},
	ir.MulU32:     {integer, integer, "(%s * %s)"},
	ir.AndU32:     {integer, integer, "(%s & %s)"},
	ir.OrU32:      {integer, integer, "(%s | %s)"},
	ir.XorU32:     {integer, integer, "(%s ^ %s)"},
	ir.ShlU32:     {integer, integer, "(%s << (%s & 31))"},
	ir.ShrU32:     {integer, integer, "(%s >> (%s & 31))"},
	ir.EqU32:      {integer, truth, "%s == %s"},
	ir.LtU32:      {integer, truth, "%s < %s"},
	ir.F32FromU32: {integer, float, "float32(float64(%s))"},
	ir.U32FromF32: {float, integer, "single.Uint32(%s)"},
	ir.Bits:       {float, integer, "single.Bits(%s)"},
	ir.FromBits:   {integer, bits, "%s"},

	ir.NegF64:      {double, double, "-%s"}, // which is no constant
	ir.AddF64:      {double, double, "(%s + %s)"},
	ir.SubF64:      {double, double, "(%s - %s)"},
	ir.MulF64:      {double, double, "float64(%s * %s)"},
	ir.DivF64:      {double, double, "(%s / %s)"},
	ir.FMAF64:      {double, double, "math.FMA(%s, %s, %s)"},
	ir.AddU64:      {word, word, "(%s + %s)"},
	ir.AndU64:      {word, word, "(%s & %s)"},
	ir.OrU64:       {word, word, "(%s | %s)"},
	ir.F64FromF32:  {float, double, "float64(%s)"},
	ir.F32FromF64:  {double, float, "float32(%s)"},
	ir.BitsF64:     {word, word, "%s"},
	ir.FromBitsF64: {word, word, "%s"},
}

// node writes what is needed before the expression of v can be used.
func (f *goFunc) node(v ir.Value) {
	n := f.body.Nodes[v]
	in := n.Operands()
	switch n.Op {
	case ir.Arg:
		f.argument(v, int(n.Imm))
	case ir.Const:
		f.values[v] = constant(n)
	case ir.Copysign:
		f.set(v, bits, "(%s&^(1<<31) | single.Bits(%s)&(1<<31))", f.as(in[0], bits), f.as(in[1], float))
	case ir.Min, ir.Max:
		x, y := f.variable(in[0], float), f.variable(in[1], float)
		sign := map[ir.Op]string{ir.Min: "<", ir.Max: ">"}[n.Op]
		f.choose(v, bits, in[0], in[1], fmt.Sprintf("%s %s %s", x, sign, y))
	case ir.WhereF32:
		f.where(v, bits)
	case ir.WhereU32:
		f.where(v, integer)
	case ir.WhereF64:
		f.where(v, word)
	case ir.ShlU64, ir.ShrU64:
		op := map[ir.Op]string{ir.ShlU64: "<<", ir.ShrU64: ">>"}[n.Op]
		f.set(v, word, "(%s %s %d)", f.as(in[0], word), op, f.body.Nodes[in[1]].Imm)
	default:
		op, ok := goOps[n.Op]
		if !ok {
			log.Fatalf("%s: plain Go has no operation %v", f.name, n.Op.Info().Name)
		}
		text := make([]any, len(in))
		for i, x := range in {
			if text[i] = f.as(x, op.in); op.out == truth { // which may be used several times
				text[i] = f.variable(x, op.in)
			}
		}
		f.set(v, op.out, op.text, text...)
	}
}

// argument loads an input. What has several results loads all inputs first, since a result may
// replace one.
func (f *goFunc) argument(v ir.Value, i int) {
	kind := map[ir.Type]goKind{ir.F32: float, ir.U32: integer, ir.Bool: lanes}[f.body.Args[i].Type]
	if f.uniform(v) { // see as
		return
	}
	operand := len(f.results) + i
	if f.inputs[i] == kernel.Bit {
		f.set(v, lanes, "-(uint32(o%d) & 1)", operand)
		return
	}
	if len(f.results) > 1 {
		f.uses[v] = max(f.uses[v], 2)
	}
	f.set(v, kind, "o%d[i]", operand)
}

// where selects by a comparison or by lanes.
func (f *goFunc) where(v ir.Value, kind goKind) {
	in := f.body.Nodes[v].In
	if c := f.values[in[0]]; c.kind == truth {
		f.choose(v, kind, in[1], in[2], c.text)
		return
	}
	c := f.as(in[0], lanes)
	if kind == word {
		c = "uint64(int64(int32(" + trimParens(c) + ")))"
	}
	switch {
	case f.isZero(in[2]):
		f.set(v, kind, "(%s & %s)", f.as(in[1], kind), c)
	case f.isZero(in[1]):
		f.set(v, kind, "(%s &^ %s)", f.as(in[2], kind), c)
	case f.body.Nodes[in[1]].Op == ir.Const && f.body.Nodes[in[2]].Op == ir.Const:
		x, y := f.body.Nodes[in[1]].Imm, f.body.Nodes[in[2]].Imm
		f.set(v, kind, "(%#x&%s ^ %#x)", x^y, c, y)
	case f.uniform(in[1]) && f.uniform(in[2]):
		y := f.as(in[2], kind)
		p := goParam{fmt.Sprintf("d%d", v), f.as(in[1], kind) + " ^ " + y, "uint32"}
		f.before = append(f.before, p)
		f.set(v, kind, "(%s&%s ^ %s)", p.name, c, y)
	default:
		y := f.variable(in[2], kind)
		f.set(v, kind, "((%s^%s)&%s ^ %s)", f.as(in[1], kind), y, c, y)
	}
}

// uniform reports whether v is a constant or a parameter.
func (f *goFunc) uniform(v ir.Value) bool {
	n := f.body.Nodes[v]
	return n.Op == ir.Const || n.Op == ir.Arg && int(n.Imm) >= len(f.inputs)
}

// isZero reports whether the bits of v are the constant 0.
func (f *goFunc) isZero(v ir.Value) bool {
	n := f.body.Nodes[v]
	return n.Op == ir.Const && n.Imm == 0
}

// choose writes a conditional move: v is x if the condition holds, and y otherwise. Both are
// computed before, since the compiler jumps around what is computed behind a condition.
func (f *goFunc) choose(v ir.Value, kind goKind, x, y ir.Value, condition string) {
	then, otherwise := f.as(x, kind), f.as(y, kind)
	if strings.Contains(then, "(") {
		f.printf("then%d := %s", v, then)
		then = fmt.Sprintf("then%d", v)
	}
	if f.body.Nodes[y].Op == ir.Const {
		otherwise = map[bool]string{false: "uint32(", true: "uint64("}[kind == word] + otherwise + ")"
	}
	f.printf("v%d := %s\nif %s {\nv%[1]d = %[4]s\n}", v, otherwise, condition, then)
	f.values[v] = goValue{fmt.Sprintf("v%d", v), kind}
}

// constant returns a constant: a float in decimal, if that is what it is.
func constant(n ir.Node) goValue {
	switch n.Type {
	case ir.U32:
		return goValue{fmt.Sprintf("%#x", n.Imm), integer}
	case ir.Bool:
		return goValue{fmt.Sprintf("%#x", -uint32(n.Imm)), lanes}
	}
	if n.Type == ir.F64 {
		if x := math.Float64frombits(n.Imm); x-x == 0 && n.Imm != 1<<63 {
			return goValue{strconv.FormatFloat(x, 'x', -1, 64), double}
		}
	}
	if n.Type.Wide() {
		return goValue{fmt.Sprintf("%#x", n.Imm), word}
	}
	x := math.Float32frombits(uint32(n.Imm))
	if x-x != 0 || n.Imm == 1<<31 {
		return goValue{fmt.Sprintf("%#x", n.Imm), bits}
	}
	return goValue{strconv.FormatFloat(float64(x), 'g', -1, 32), float}
}
