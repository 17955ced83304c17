package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/libm"
)

// A spec is one kernel, which is printed for every instruction set. Its operands are elements
// of 32 bits, which for a bool are lanes of ones or zeros, or bits of masks.
type spec struct {
	name string // without that of the instruction set
	doc  string
	body *ir.Program
	// lookups is body for instruction sets that look up elements in tables, or nil.
	lookups *ir.Program
	// The results are args.ptr[0] and so on. Input i of body is at args.ptr[ptr[i]], and
	// parameter i, the argument after the inputs, is args.params[params[i]].
	results, inputs []kernel.Address
	ptr, params     []int

	// A kernel of an activation or a function may have any number of elements. One of a
	// primitive has blocks of 64.
	blocks bool
	// With non-temporal stores, the caller has to make others see them before later ones.
	unordered bool

	// Its place in the tables.
	kind    int // of an activation, from 1 on
	form    form.Form
	op      ir.Op // of a primitive or a function of package ir
	pattern int   // which operands are scalars: see patterns
}

// The kernels: of the activations in all their forms, of the operations and the functions of
// programs, and of what moves values between the operands of these.
var (
	activations = activationSpecs()
	primitives  = primitiveSpecs()
	functions   = functionSpecs()
	moves       = []spec{
		identity("fill", "the elements of a result, all equal to a parameter", ir.U32, kernel.Element),
		identity("expand", "lanes from the bits of a mask", ir.Bool, kernel.Element, kernel.Bit),
		identity("compress", "the bits of a mask from lanes", ir.Bool, kernel.Bit, kernel.Element),
	}
)

// specs returns all kernels.
func specs() []spec { return slices.Concat(activations, primitives, functions, moves) }

// activationSpecs returns the kernels of the fused activations, in all their forms.
func activationSpecs() []spec {
	var list []spec
	for i, f := range function.All() {
		for fm := range function.Form(function.Count) {
			k := function.Kernel(i+1, fm)
			if k == nil || !f.Fused {
				continue
			}
			s := spec{
				name: f.Program(function.Forward).Name(), body: k.Body, results: k.Results, inputs: k.Inputs,
				kind: i + 1, form: form.Form(fm),
			}
			s.name += s.formName()
			s.doc = fmt.Sprintf("form.%s of %s", s.formName(), f.Name)
			for j := range k.Inputs {
				s.ptr = append(s.ptr, len(k.Results)+j)
			}
			for j := range k.Params {
				s.params = append(s.params, j)
			}
			list = append(list, s)
		}
	}
	return list
}

// formName returns the name of the form in package form.
func (s *spec) formName() string {
	words := strings.Fields(s.form.String())
	for i, word := range words {
		words[i] = upper(word)
	}
	return strings.Join(words, "")
}

// primitiveSpecs returns the kernels of single operations. Operand i is at args.ptr[1+i], or is
// args.params[i] if bit i of the pattern is set.
func primitiveSpecs() []spec {
	var list []spec
	for _, op := range ir.Ops() {
		name := opNames[op]
		if name == "" || aliases[op] != 0 || op == ir.FromBits {
			continue
		}
		in := op.Info().In
		if op == ir.RandBits {
			in = []ir.Type{ir.U32, ir.U32, ir.U32, ir.U32} // the key, and the index: its low and its high word
		}
		for _, pattern := range patterns(op) {
			s := spec{
				name: lower(name), results: []kernel.Address{kernel.Element},
				blocks: true, op: op, pattern: pattern & 7,
			}
			var b ir.Builder
			operands := make([]ir.Value, len(in))
			var text []string
			for _, scalar := range []bool{false, true} {
				for i, t := range in {
					if scalar != (pattern>>i&1 == 1) {
						continue
					}
					operands[i] = b.Arg(string(rune('x'+i)), t)
					if scalar {
						s.params = append(s.params, i)
						s.name += string("XYZW"[i])
					} else {
						s.ptr, s.inputs = append(s.ptr, 1+i), append(s.inputs, kernel.Element)
					}
				}
			}
			for i := range in {
				text = append(text, []string{"tile", "scalar"}[pattern>>i&1])
			}
			s.doc = fmt.Sprintf("%s of %s", name, strings.Join(text, ", "))
			if op == ir.RandBits {
				b.Result("r", threefry(&b, operands))
			} else {
				b.Result("r", b.Op(op, operands...))
			}
			s.body = b.Program(name)
			list = append(list, s)
		}
	}
	return list
}

// functionSpecs returns the kernels of the functions of package ir, which have bodies.
func functionSpecs() []spec {
	var list []spec
	for _, op := range ir.Ops() {
		if body := libm.Body(op); body != nil {
			list = append(list, spec{
				name: body.Name, doc: body.Name + ", correctly rounded", body: body, lookups: libm.BodyWithLookups(op),
				results: []kernel.Address{kernel.Element}, inputs: []kernel.Address{kernel.Element}, ptr: []int{1}, op: op,
			})
		}
	}
	return list
}

// patterns returns which operands are scalars: the first at bit 0.
func patterns(op ir.Op) []int {
	info := op.Info()
	switch {
	case op == ir.RandBits:
		return []int{0b1000, 0b1011}
	case info.Counts:
		return []int{0b10}
	case len(info.In) == 3: // where and fma
		return []int{0b000, 0b010, 0b100, 0b110}
	case len(info.In) == 1 || info.In[0] == ir.Bool:
		return []int{0}
	case info.Commutes:
		return []int{0b00, 0b10}
	}
	return []int{0b00, 0b01, 0b10}
}

// opNames are the operations that are primitives, with their names in package ir. A correctly
// rounded function, and what its body needs, is none.
var opNames = map[ir.Op]string{
	ir.NegF32: "NegF32", ir.AddF32: "AddF32", ir.SubF32: "SubF32", ir.MulF32: "MulF32",
	ir.DivF32: "DivF32", ir.FMA: "FMA", ir.Sqrt: "Sqrt", ir.Abs: "Abs", ir.Copysign: "Copysign",
	ir.Min: "Min", ir.Max: "Max", ir.Floor: "Floor", ir.Ceil: "Ceil", ir.Trunc: "Trunc",
	ir.Rint: "Rint", ir.EqF32: "EqF32", ir.LtF32: "LtF32", ir.LeF32: "LeF32",
	ir.WhereF32: "WhereF32", ir.And: "And", ir.Or: "Or", ir.Not: "Not", ir.AddU32: "AddU32",
	ir.SubU32: "SubU32", ir.MulU32: "MulU32", ir.AndU32: "AndU32", ir.OrU32: "OrU32",
	ir.XorU32: "XorU32", ir.ShlU32: "ShlU32", ir.ShrU32: "ShrU32", ir.EqU32: "EqU32",
	ir.LtU32: "LtU32", ir.WhereU32: "WhereU32", ir.F32FromU32: "F32FromU32",
	ir.U32FromF32: "U32FromF32", ir.Bits: "Bits", ir.FromBits: "FromBits", ir.RandBits: "RandBits",
}

// aliases are operations that do the same to the bits of elements as others, whose kernels
// they have. FromBits copies.
var aliases = map[ir.Op]ir.Op{ir.WhereF32: ir.WhereU32, ir.And: ir.AndU32, ir.Or: ir.OrU32}

// threefry returns the first word of threefry.Block, given the key and the counter.
func threefry(b *ir.Builder, in []ir.Value) ir.Value {
	u32 := func(n uint64) ir.Value { return b.Const(ir.U32, n) }
	add := func(x, y ir.Value) ir.Value { return b.Op(ir.AddU32, x, y) }
	xor := func(x, y ir.Value) ir.Value { return b.Op(ir.XorU32, x, y) }
	key := [3]ir.Value{in[0], in[1], xor(u32(0x1bd11bda), xor(in[0], in[1]))}
	x, y := add(in[2], key[0]), add(in[3], key[1])
	for round := range 20 {
		x = add(x, y)
		left := []uint64{13, 15, 26, 6, 17, 29, 16, 24}[round%8]
		y = xor(b.Op(ir.OrU32, b.Op(ir.ShlU32, y, u32(left)), b.Op(ir.ShrU32, y, u32(32-left))), x)
		if round%4 == 3 {
			n := round/4 + 1
			x = add(x, key[n%3])
			y = add(y, add(key[(n+1)%3], u32(uint64(n))))
		}
	}
	return x
}

// lower returns a name with a lower-case letter first, or all of it if it is an abbreviation.
func lower(name string) string {
	if name == strings.ToUpper(name) {
		return strings.ToLower(name)
	}
	return strings.ToLower(name[:1]) + name[1:]
}

// identity returns a kernel that moves values: from an input, or from a parameter.
func identity(name, doc string, t ir.Type, result kernel.Address, inputs ...kernel.Address) spec {
	var b ir.Builder
	b.Result("r", b.Arg("x", t))
	s := spec{name: name, doc: doc, body: b.Program(name), results: []kernel.Address{result}, inputs: inputs, blocks: true}
	if len(inputs) == 0 {
		s.params = []int{0}
	} else {
		s.ptr = []int{1}
	}
	return s
}
