package main

import (
	"cmp"
	"fmt"
	"io"
	"log"
	"math"
	"slices"
	"strconv"
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
	b.WriteString(strings.TrimPrefix(table("generic", "Generic", ""), "\n"))
	for _, s := range specs() {
		s.body = factored(s.body)
		(&goFunc{spec: s, out: &b}).function()
	}
	for _, name := range []string{"prefetch", "prefetchWrite"} {
		fmt.Fprintf(&b, "\n// %sGeneric does nothing: Go has no such instruction.\nfunc %[1]sGeneric(*args) {}\n", name)
	}
	return formatted(b.String())
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

// A goValue is an expression for a value. A bool is a comparison or lanes, a uint32 of ones
// or zeros; a float32 is a float or its bits, a uint32.
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
)

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

// factored returns p with where(c, 1, a) * x for where(c, x, a*x), which is the same, as a
// product with 1 is exact: a factor is selected faster than two floats, which have to become
// integers for it.
func factored(p *ir.Program) *ir.Program {
	var b ir.Builder
	values := make([]ir.Value, len(p.Nodes))
	for i, a := range p.Args {
		v := b.Arg(a.Name, a.Type)
		for j, n := range p.Nodes {
			if n.Op == ir.Arg && n.Imm == uint64(i) {
				values[j] = v
			}
		}
	}
	for i, n := range p.Nodes {
		if n.Op == ir.Const {
			values[i] = b.Const(n.Type, n.Imm)
		}
		if n.Op <= ir.Const {
			continue
		}
		in := make([]ir.Value, len(n.Operands()))
		for j, x := range n.Operands() {
			in[j] = values[x]
		}
		if n.Op == ir.WhereF32 {
			if a, ok := factor(p, n.In[1], n.In[2]); ok {
				values[i] = b.Op(ir.MulF32, b.Op(ir.WhereF32, in[0], b.Float32(1), values[a]), in[1])
				continue
			}
			if a, ok := factor(p, n.In[2], n.In[1]); ok {
				values[i] = b.Op(ir.MulF32, b.Op(ir.WhereF32, in[0], values[a], b.Float32(1)), in[2])
				continue
			}
		}
		values[i] = b.Op(n.Op, in...)
	}
	for _, r := range p.Results {
		b.Result(r.Name, values[r.Value])
	}
	return b.Program(p.Name)
}

// factor returns a if y is a*x.
func factor(p *ir.Program, x, y ir.Value) (a ir.Value, ok bool) {
	n := p.Nodes[y]
	switch {
	case n.Op != ir.MulF32:
		return 0, false
	case n.In[0] == x:
		return n.In[1], true
	}
	return n.In[0], n.In[1] == x
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

// as returns an expression of v of a kind.
func (f *goFunc) as(v ir.Value, kind goKind) string {
	x := f.values[v]
	n := f.body.Nodes[v]
	switch {
	case n.Op == ir.Arg && f.uniform(v):
		return f.param(int(n.Imm)-len(f.inputs), kind)
	case x.kind == kind:
		return x.text
	case n.Op == ir.Const && kind == bits:
		return fmt.Sprintf("%#x", n.Imm)
	case kind == bits:
		return "math.Float32bits(" + x.text + ")"
	case kind == float:
		return "math.Float32frombits(" + x.text + ")"
	case kind == lanes:
		return "lane(" + x.text + ")"
	}
	log.Fatalf("%s: a value has the kind %d and should have %d", f.name, x.kind, kind)
	return ""
}

// set makes text the expression of v, or a variable that has it if it is needed several times.
func (f *goFunc) set(v ir.Value, kind goKind, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if f.uses[v] > 1 && kind != truth {
		f.printf("v%d := %s", v, text)
		text = fmt.Sprintf("v%d", v)
	}
	f.values[v] = goValue{text, kind}
}

// variable is set for what is needed several times in one operation.
func (f *goFunc) variable(v ir.Value, kind goKind) string {
	text := f.as(v, kind)
	if strings.ContainsAny(text, " ([") && f.body.Nodes[v].Op != ir.Const {
		f.printf("v%d := %s", v, text)
		text = fmt.Sprintf("v%d", v)
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
	switch {
	case f.isZero(in[2]):
		f.set(v, kind, "(%s & %s)", f.as(in[1], kind), c)
	case f.isZero(in[1]):
		f.set(v, kind, "(%s &^ %s)", f.as(in[2], kind), c)
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
		otherwise = "uint32(" + otherwise + ")"
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
	x := math.Float32frombits(uint32(n.Imm))
	if x-x != 0 || n.Imm == 1<<31 {
		return goValue{fmt.Sprintf("%#x", n.Imm), bits}
	}
	return goValue{strconv.FormatFloat(float64(x), 'g', -1, 32), float}
}
