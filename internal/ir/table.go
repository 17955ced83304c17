package ir

import (
	"math"
	"slices"

	"github.com/gmind-go/compute/internal/rounded"
	"github.com/gmind-go/compute/internal/single"
	"github.com/gmind-go/compute/internal/threefry"
)

// An Info is what the table has of an operation.
type Info struct {
	Name string // the operator or the function in text
	In   []Type // of its operands
	Out  Type
	Doc  string // what it returns, in the operands x, y, z of float32, u, v of uint32, c, d of bool

	// Slope is the derivative in the operands, their derivatives dx, dy, dz and the result
	// r. It is empty for an operation whose derivative is zero.
	Slope string

	Commutes bool // the first two operands may be exchanged
	Counts   bool // the second operand is a constant below the width of the first
	Indexed  bool // it depends on the index of the element too, which is its third operand
	Function bool // it is correctly rounded, and not one operation of a processor

	eval   func(a, b, c uint64) uint64
	define func(b *Builder, x []Value) Value
	derive func(d *deriver, r Value, x, dx []Value) Value
}

// Defined reports whether the operation is defined by others, so that it does not occur in a
// program.
func (i *Info) Defined() bool { return i.define != nil }

// Public reports whether text may use the operation.
func (i *Info) Public() bool {
	for _, t := range i.In {
		if !t.Public() {
			return false
		}
	}
	return i.Name != "" && i.Out.Public()
}

// Called reports whether text writes the operation as a call, and not with an operator.
func (i *Info) Called() bool { return 'a' <= i.Name[0] && i.Name[0] <= 'z' }

// Info returns the row of the table.
func (op Op) Info() *Info { return &table[op] }

// Ops returns all operations that a program may contain, besides Arg and Const.
func Ops() []Op {
	var list []Op
	for op := Const + 1; op < NeF32; op++ {
		list = append(list, op)
	}
	return list
}

// table has a row for each operation.
var table [count]Info

// byName has the operations that have a name, in the order of the table.
var byName = map[string][]Op{}

func init() { // no initializer, since the operations of defined ones are in the table too
	table = rows()
	for op := Exp; op <= SoftsignPrime; op++ {
		table[op].In, table[op].Out, table[op].Function = []Type{F32}, F32, true
	}
	table[zero], table[one] = Info{Out: F32}, Info{Out: F32}
	for op := range count {
		if table[op].Name != "" {
			byName[table[op].Name] = append(byName[table[op].Name], op)
		}
	}
}

func rows() [count]Info {
	f, u, c, d, v := F32, U32, Bool, F64, U64
	return [count]Info{
		NegF32:   {Name: "-", In: []Type{f}, Out: f, Doc: "x with the other sign", Slope: "-dx", eval: f1(neg), derive: deriveNeg},
		AddF32:   {Name: "+", In: []Type{f, f}, Out: f, Doc: "the sum", Slope: "dx + dy", Commutes: true, eval: f2(func(x, y float32) float32 { return x + y }), derive: deriveAdd},
		SubF32:   {Name: "-", In: []Type{f, f}, Out: f, Doc: "the difference", Slope: "dx - dy", eval: f2(func(x, y float32) float32 { return x - y }), derive: deriveSub},
		MulF32:   {Name: "*", In: []Type{f, f}, Out: f, Doc: "the product", Slope: "y*dx + x*dy", Commutes: true, eval: f2(func(x, y float32) float32 { return float32(x * y) }), derive: deriveMul},
		DivF32:   {Name: "/", In: []Type{f, f}, Out: f, Doc: "the quotient", Slope: "(dx - r*dy) / y", eval: f2(func(x, y float32) float32 { return x / y }), derive: deriveDiv},
		FMA:      {Name: "fma", In: []Type{f, f, f}, Out: f, Doc: "x*y + z, rounded once", Slope: "y*dx + x*dy + dz", Commutes: true, eval: f3(single.FMA), derive: deriveFMA},
		Sqrt:     {Name: "sqrt", In: []Type{f}, Out: f, Doc: "the square root: NaN for x < 0, x for a zero", Slope: "dx / (r + r)", eval: f1(func(x float32) float32 { return float32(math.Sqrt(float64(x))) }), derive: deriveSqrt},
		Abs:      {Name: "abs", In: []Type{f}, Out: f, Doc: "x without its sign", Slope: "where(x < 0, -dx, dx)", eval: func(a, _, _ uint64) uint64 { return a &^ sign }, derive: deriveAbs},
		Copysign: {Name: "copysign", In: []Type{f, f}, Out: f, Doc: "x with the sign of y; a NaN counts as positive", Slope: "dx if the signs of x and y are equal, otherwise -dx", eval: func(a, b, _ uint64) uint64 { return a&^sign | canonical(b)&sign }, derive: deriveCopysign},
		Min:      {Name: "min", In: []Type{f, f}, Out: f, Doc: "where(x < y, x, y), so y if one is NaN", Slope: "where(x < y, dx, dy)", eval: f2(func(x, y float32) float32 { return choose(x < y, x, y) }), derive: deriveMin},
		Max:      {Name: "max", In: []Type{f, f}, Out: f, Doc: "where(x > y, x, y), so y if one is NaN", Slope: "where(x > y, dx, dy)", eval: f2(func(x, y float32) float32 { return choose(x > y, x, y) }), derive: deriveMax},
		Floor:    {Name: "floor", In: []Type{f}, Out: f, Doc: "x rounded to an integer, toward -Inf", eval: f1(through(math.Floor))},
		Ceil:     {Name: "ceil", In: []Type{f}, Out: f, Doc: "x rounded to an integer, toward +Inf", eval: f1(through(math.Ceil))},
		Trunc:    {Name: "trunc", In: []Type{f}, Out: f, Doc: "x rounded to an integer, toward zero", eval: f1(through(math.Trunc))},
		Rint:     {Name: "rint", In: []Type{f}, Out: f, Doc: "x rounded to an integer, to nearest even", eval: f1(through(math.RoundToEven))},
		EqF32:    {Name: "==", In: []Type{f, f}, Out: c, Doc: "whether x equals y: false if one is NaN, true for zeros", Commutes: true, eval: fc(func(x, y float32) bool { return x == y })},
		NeF32:    {Name: "!=", In: []Type{f, f}, Out: c, Doc: "!(x == y)", define: func(b *Builder, x []Value) Value { return b.Op(Not, b.Op(EqF32, x...)) }},
		LtF32:    {Name: "<", In: []Type{f, f}, Out: c, Doc: "whether x is less: false if one is NaN", eval: fc(func(x, y float32) bool { return x < y })},
		LeF32:    {Name: "<=", In: []Type{f, f}, Out: c, Doc: "whether x is less or equal: false if one is NaN", eval: fc(func(x, y float32) bool { return x <= y })},
		GtF32:    {Name: ">", In: []Type{f, f}, Out: c, Doc: "y < x", define: func(b *Builder, x []Value) Value { return b.Op(LtF32, x[1], x[0]) }},
		GeF32:    {Name: ">=", In: []Type{f, f}, Out: c, Doc: "y <= x", define: func(b *Builder, x []Value) Value { return b.Op(LeF32, x[1], x[0]) }},
		WhereF32: {Name: "where", In: []Type{c, f, f}, Out: f, Doc: "x if c is true, otherwise y", Slope: "where(c, dx, dy)", eval: where, derive: deriveWhere},

		And:       {Name: "&&", In: []Type{c, c}, Out: c, Doc: "whether both are true", Commutes: true, eval: func(a, b, _ uint64) uint64 { return a & b }},
		Or:        {Name: "||", In: []Type{c, c}, Out: c, Doc: "whether one is true", Commutes: true, eval: func(a, b, _ uint64) uint64 { return a | b }},
		Not:       {Name: "!", In: []Type{c}, Out: c, Doc: "whether c is false", eval: func(a, _, _ uint64) uint64 { return a ^ 1 }},
		EqBool:    {Name: "==", In: []Type{c, c}, Out: c, Doc: "!(c != d)", define: func(b *Builder, x []Value) Value { return b.Op(Not, b.Op(NeBool, x...)) }},
		NeBool:    {Name: "!=", In: []Type{c, c}, Out: c, Doc: "c && !d || !c && d", define: defineNeBool},
		WhereBool: {Name: "where", In: []Type{c, c, c}, Out: c, Doc: "c && d || !c && e", define: defineWhereBool},

		AddU32:    {Name: "+", In: []Type{u, u}, Out: u, Doc: "the sum modulo 1<<32; likewise for - * <<", Commutes: true, eval: u2(func(x, y uint32) uint32 { return x + y })},
		SubU32:    {Name: "-", In: []Type{u, u}, Out: u, Doc: "the difference", eval: u2(func(x, y uint32) uint32 { return x - y })},
		NegU32:    {Name: "-", In: []Type{u}, Out: u, Doc: "0 - u", define: func(b *Builder, x []Value) Value { return b.Op(SubU32, b.Const(U32, 0), x[0]) }},
		MulU32:    {Name: "*", In: []Type{u, u}, Out: u, Doc: "the product", Commutes: true, eval: u2(func(x, y uint32) uint32 { return x * y })},
		AndU32:    {Name: "&", In: []Type{u, u}, Out: u, Doc: "the bits set in both", Commutes: true, eval: u2(func(x, y uint32) uint32 { return x & y })},
		OrU32:     {Name: "|", In: []Type{u, u}, Out: u, Doc: "the bits set in one or both", Commutes: true, eval: u2(func(x, y uint32) uint32 { return x | y })},
		XorU32:    {Name: "^", In: []Type{u, u}, Out: u, Doc: "the bits set in one", Commutes: true, eval: u2(func(x, y uint32) uint32 { return x ^ y })},
		NotU32:    {Name: "^", In: []Type{u}, Out: u, Doc: "u ^ 0xffffffff", define: func(b *Builder, x []Value) Value { return b.Op(XorU32, x[0], b.Const(U32, math.MaxUint32)) }},
		AndNotU32: {Name: "&^", In: []Type{u, u}, Out: u, Doc: "u & ^v", define: func(b *Builder, x []Value) Value { return b.Op(AndU32, x[0], b.Op(NotU32, x[1])) }},
		ShlU32:    {Name: "<<", In: []Type{u, u}, Out: u, Doc: "u shifted left by the constant v, at most 31", Counts: true, eval: u2(func(x, y uint32) uint32 { return x << y })},
		ShrU32:    {Name: ">>", In: []Type{u, u}, Out: u, Doc: "u shifted right by the constant v, at most 31", Counts: true, eval: u2(func(x, y uint32) uint32 { return x >> y })},
		EqU32:     {Name: "==", In: []Type{u, u}, Out: c, Doc: "whether u equals v", Commutes: true, eval: uc(func(x, y uint32) bool { return x == y })},
		NeU32:     {Name: "!=", In: []Type{u, u}, Out: c, Doc: "!(u == v)", define: func(b *Builder, x []Value) Value { return b.Op(Not, b.Op(EqU32, x...)) }},
		LtU32:     {Name: "<", In: []Type{u, u}, Out: c, Doc: "whether u is less", eval: uc(func(x, y uint32) bool { return x < y })},
		GtU32:     {Name: ">", In: []Type{u, u}, Out: c, Doc: "v < u", define: func(b *Builder, x []Value) Value { return b.Op(LtU32, x[1], x[0]) }},
		LeU32:     {Name: "<=", In: []Type{u, u}, Out: c, Doc: "!(v < u)", define: func(b *Builder, x []Value) Value { return b.Op(Not, b.Op(LtU32, x[1], x[0])) }},
		GeU32:     {Name: ">=", In: []Type{u, u}, Out: c, Doc: "!(u < v)", define: func(b *Builder, x []Value) Value { return b.Op(Not, b.Op(LtU32, x...)) }},
		WhereU32:  {Name: "where", In: []Type{c, u, u}, Out: u, Doc: "u if c is true, otherwise v", eval: where},
		MinU32:    {Name: "min", In: []Type{u, u}, Out: u, Doc: "where(u < v, u, v)", define: func(b *Builder, x []Value) Value { return b.Op(WhereU32, b.Op(LtU32, x...), x[0], x[1]) }},
		MaxU32:    {Name: "max", In: []Type{u, u}, Out: u, Doc: "where(u < v, v, u)", define: func(b *Builder, x []Value) Value { return b.Op(WhereU32, b.Op(LtU32, x...), x[1], x[0]) }},

		F32FromU32: {Name: "float32", In: []Type{u}, Out: f, Doc: "u, rounded to nearest even", eval: func(a, _, _ uint64) uint64 { return fromF32(float32(float64(a))) }},
		U32FromF32: {Name: "uint32", In: []Type{f}, Out: u, Doc: "x rounded toward zero: 0 below 0 and for NaN, 1<<32 - 1 above", eval: func(a, _, _ uint64) uint64 { return uint64(single.Uint32(toF32(a))) }},
		SameF32:    {Name: "float32", In: []Type{f}, Out: f, Doc: "x", define: same},
		SameU32:    {Name: "uint32", In: []Type{u}, Out: u, Doc: "u", define: same},
		SameBool:   {Name: "bool", In: []Type{c}, Out: c, Doc: "c", define: same},
		Bits:       {Name: "bits", In: []Type{f}, Out: u, Doc: "the bits of x, as math.Float32bits: 0x7fc00000 for every NaN", eval: func(a, _, _ uint64) uint64 { return canonical(a) }},
		FromBits:   {Name: "frombits", In: []Type{u}, Out: f, Doc: "the float32 with the bits u", eval: func(a, _, _ uint64) uint64 { return a }},
		RandBits:   {Name: "randbits", In: []Type{u, u}, Out: u, Doc: "random bits, of the key (u, v) and the index of the element", Indexed: true, eval: randBits},
		Rand:       {Name: "rand", In: []Type{u, u}, Out: f, Doc: "float32(randbits(u, v)>>8) / (1<<24), uniform in [0, 1)", define: defineRand},

		Exp:        {Name: "exp", Doc: "e^x", Slope: "r * dx", eval: f1(rounded.Exp), derive: deriveExp},
		Expm1:      {Name: "expm1", Doc: "e^x - 1", Slope: "exp(x) * dx", eval: f1(rounded.Expm1), derive: deriveBy(Exp)},
		Log:        {Name: "log", Doc: "the natural logarithm of x: -Inf for a zero, NaN for x < 0", Slope: "dx / x", eval: f1(rounded.Log), derive: deriveLog},
		Log1p:      {Name: "log1p", Doc: "log(1 + x): -Inf for -1, NaN for x < -1", Slope: "log1pPrime(x) * dx", eval: f1(rounded.Log1p), derive: deriveBy(Log1pPrime)},
		Tanh:       {Name: "tanh", Doc: "the hyperbolic tangent of x", Slope: "tanhPrime(x) * dx", eval: f1(rounded.Tanh), derive: deriveBy(TanhPrime)},
		Sigmoid:    {Name: "sigmoid", Doc: "1 / (1 + e^-x)", Slope: "sigmoidPrime(x) * dx", eval: f1(rounded.Sigmoid), derive: deriveBy(SigmoidPrime)},
		LogSigmoid: {Name: "logSigmoid", Doc: "-log(1 + e^-x)", Slope: "sigmoid(-x) * dx", eval: f1(rounded.LogSigmoid), derive: deriveLogSigmoid},
		Erf:        {Name: "erf", Doc: "the error function of x", Slope: "erfPrime(x) * dx", eval: f1(rounded.Erf), derive: deriveBy(ErfPrime)},
		Softplus:   {Name: "softplus", Doc: "log(1 + e^x)", Slope: "sigmoid(x) * dx", eval: f1(rounded.Softplus), derive: deriveBy(Sigmoid)},
		SiLU:       {Name: "silu", Doc: "x / (1 + e^-x): -0 at -Inf", Slope: "siluPrime(x) * dx", eval: f1(rounded.SiLU), derive: deriveBy(SiLUPrime)},
		GELU:       {Name: "gelu", Doc: "x * (1 + erf(x/sqrt(2))) / 2: -0 at -Inf", Slope: "geluPrime(x) * dx", eval: f1(rounded.GELU), derive: deriveBy(GELUPrime)},
		GELUTanh:   {Name: "geluTanh", Doc: "x * (1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3))) / 2: -0 at -Inf", Slope: "geluTanhPrime(x) * dx", eval: f1(rounded.GELUTanh), derive: deriveBy(GELUTanhPrime)},
		Mish:       {Name: "mish", Doc: "x * tanh(log(1 + e^x)): -0 at -Inf", Slope: "mishPrime(x) * dx", eval: f1(rounded.Mish), derive: deriveBy(MishPrime)},
		Softsign:   {Name: "softsign", Doc: "x / (1 + |x|)", Slope: "softsignPrime(x) * dx", eval: f1(rounded.Softsign), derive: deriveBy(SoftsignPrime)},

		Log1pPrime:    {Name: "log1pPrime", Doc: "1 / (1 + x): +Inf at -1", Slope: "-(r*r) * dx", eval: f1(rounded.Log1pPrime), derive: deriveLog1pPrime},
		TanhPrime:     {Name: "tanhPrime", Doc: "1 / cosh(x)^2", Slope: "-2*tanh(x)*r * dx", eval: f1(rounded.TanhPrime), derive: deriveTanhPrime},
		SigmoidPrime:  {Name: "sigmoidPrime", Doc: "e^-x / (1 + e^-x)^2", Slope: "r*(1 - 2*sigmoid(x)) * dx", eval: f1(rounded.SigmoidPrime), derive: deriveSigmoidPrime},
		ErfPrime:      {Name: "erfPrime", Doc: "2/sqrt(pi) * e^(-x*x)", Slope: "-2*x*r * dx, 0 where |x| >= 16", eval: f1(rounded.ErfPrime), derive: deriveErfPrime},
		SiLUPrime:     {Name: "siluPrime", Doc: "the derivative of silu: -0 at -Inf", Slope: "the second derivative * dx, by exact and rounded operations", eval: f1(rounded.SiLUPrime), derive: deriveSiLUPrime},
		GELUPrime:     {Name: "geluPrime", Doc: "the derivative of gelu: -0 at -Inf", Slope: "likewise", eval: f1(rounded.GELUPrime), derive: deriveGELUPrime},
		GELUTanhPrime: {Name: "geluTanhPrime", Doc: "the derivative of geluTanh: -0 at -Inf", Slope: "likewise", eval: f1(rounded.GELUTanhPrime), derive: deriveGELUTanhPrime},
		MishPrime:     {Name: "mishPrime", Doc: "the derivative of mish: -0 at -Inf", Slope: "likewise", eval: f1(rounded.MishPrime), derive: deriveMishPrime},
		SoftsignPrime: {Name: "softsignPrime", Doc: "1 / (1 + |x|)^2", Slope: "copysign(2, -x)*r/(1 + abs(x)) * dx", eval: f1(rounded.SoftsignPrime), derive: deriveSoftsignPrime},

		NegF64:      {Name: "-", In: []Type{d}, Out: d, Doc: "x with the other sign", eval: d1(func(x float64) float64 { return -x })},
		AddF64:      {Name: "+", In: []Type{d, d}, Out: d, Doc: "the sum", Commutes: true, eval: d2(func(x, y float64) float64 { return x + y })},
		SubF64:      {Name: "-", In: []Type{d, d}, Out: d, Doc: "the difference", eval: d2(func(x, y float64) float64 { return x - y })},
		MulF64:      {Name: "*", In: []Type{d, d}, Out: d, Doc: "the product", Commutes: true, eval: d2(func(x, y float64) float64 { return float64(x * y) })},
		DivF64:      {Name: "/", In: []Type{d, d}, Out: d, Doc: "the quotient", eval: d2(func(x, y float64) float64 { return x / y })},
		FMAF64:      {Name: "fma", In: []Type{d, d, d}, Out: d, Doc: "x*y + z, rounded once", Commutes: true, eval: d3(math.FMA)},
		WhereF64:    {Name: "where", In: []Type{c, d, d}, Out: d, Doc: "x if c is true, otherwise y", eval: where},
		AddU64:      {Name: "+", In: []Type{v, v}, Out: v, Doc: "the sum modulo 1<<64", Commutes: true, eval: func(a, b, _ uint64) uint64 { return a + b }},
		AndU64:      {Name: "&", In: []Type{v, v}, Out: v, Doc: "the bits set in both", Commutes: true, eval: func(a, b, _ uint64) uint64 { return a & b }},
		OrU64:       {Name: "|", In: []Type{v, v}, Out: v, Doc: "the bits set in one or both", Commutes: true, eval: func(a, b, _ uint64) uint64 { return a | b }},
		ShlU64:      {Name: "<<", In: []Type{v, u}, Out: v, Doc: "x shifted left by a constant", Counts: true, eval: func(a, b, _ uint64) uint64 { return a << b }},
		ShrU64:      {Name: ">>", In: []Type{v, u}, Out: v, Doc: "x shifted right by a constant", Counts: true, eval: func(a, b, _ uint64) uint64 { return a >> b }},
		F64FromF32:  {Name: "float64", In: []Type{f}, Out: d, Doc: "x", eval: func(a, _, _ uint64) uint64 { return math.Float64bits(float64(toF32(a))) }},
		F32FromF64:  {Name: "float32", In: []Type{d}, Out: f, Doc: "x, rounded to nearest even", eval: func(a, _, _ uint64) uint64 { return fromF32(float32(math.Float64frombits(a))) }},
		BitsF64:     {Name: "bits", In: []Type{d}, Out: v, Doc: "the bits of x; any NaN has any bits of a NaN", eval: func(a, _, _ uint64) uint64 { return a }},
		FromBitsF64: {Name: "frombits", In: []Type{v}, Out: d, Doc: "the float64 with the bits x", eval: func(a, _, _ uint64) uint64 { return a }},
		Lookup:      {Name: "lookup", In: []Type{v}, Out: d, Doc: "the value of a table at the lowest 4 bits of x"},
	}
}

func randBits(seed, step, index uint64) uint64 {
	word, _ := threefry.Block(uint32(seed), uint32(step), uint32(index), uint32(index>>32))
	return uint64(word)
}

// Named returns the operations that text may use under a name.
func Named(name string) []Op {
	var list []Op
	for _, op := range byName[name] {
		if table[op].Public() {
			list = append(list, op)
		}
	}
	return list
}

// Functions returns the names of operations that text writes as calls, sorted. Those of types
// are among them: float32, uint32 and bool.
func Functions() []string {
	var names []string
	for name := range byName {
		if list := Named(name); len(list) > 0 && list[0].Info().Called() {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
