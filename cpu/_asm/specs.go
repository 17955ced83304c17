package main

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

type spec struct {
	name, doc string
	body      *ir.Program
	results   []kernel.Address
	inputs    []kernel.Address
	blocks    bool
}

var _ = expr.MustParse
var _ = bits.Len
var opNames = strings.Fields(`Arg Const NegF32 AddF32 SubF32 MulF32 DivF32 FMA Sqrt Abs Copysign Min Max Floor Ceil Trunc Rint EqF32 LtF32 LeF32 WhereF32 And Or Not AddU32 SubU32 MulU32 AndU32 OrU32 XorU32 ShlU32 ShrU32 EqU32 LtU32 WhereU32 F32FromU32 U32FromF32 Bits FromBits RandBits`)

func allSpecs() []spec {
	var list []spec
	el, bit, sc := kernel.Element, kernel.Bit, kernel.Scalar
	add := func(name, text string, addr ...kernel.Address) {
		k := kernel.New(ir.Simplify(expr.MustParse(text).IR()), addr)
		list = append(list, spec{name: name, body: k.Body, results: k.Results, inputs: k.Inputs})
	}
	add("leakyReLUForward", "leakyReLU(x, s) = where(x >= 0, x, s*x)", el, sc)
	add("leakyReLUDerivative", "leakyReLU(x, s) = where(x >= 0, 1, s)", el, sc)
	add("leakyReLUBackward", "leakyReLU(dy, x, s) = dy * where(x >= 0, 1, s)", el, el, sc)
	add("leakyReLUForwardDerivative", "func f(x, s float32) (y, d float32) { return where(x >= 0, x, s*x), where(x >= 0, 1, s) }", el, sc)
	add("leakyReLUForwardMask", "func f(x, s float32) (y float32, m bool) { return where(x >= 0, x, s*x), x >= 0 }", el, sc)
	add("leakyReLUBackwardMask", "func f(dy float32, m bool, s float32) float32 { return dy * where(m, 1, s) }", el, bit, sc)
	add("clipForward", "f(x, a, b) = where(x < a, a, where(x > b, b, x))", el, sc, sc)
	add("clipForwardMask", "func f(x, a, b float32) (y float32, m bool) { return where(x < a, a, where(x > b, b, x)), a < x && x < b}", el, sc, sc)
	add("relu6Backward", "func f(dy, x float32) (y float32) { return where(x > 0 && x < 6, dy, 0)}", el, el)
	for op := ir.NegF32; op < ir.RandBits; op++ {
		info := op.Info()
		patterns := map[int][]int{1: {0}, 2: {0, 1, 2}, 3: {0, 2, 4, 6}}[len(info.In)]
		if len(info.In) == 2 && info.Commutes { patterns = []int{0, 2} }
		if info.Counts { patterns = []int{2} }
		if op == ir.And || op == ir.Or { patterns = []int{0} }
		for _, pat := range patterns {
			var b ir.Builder
			s := spec{name: strings.ToLower(opNames[op][:1]) + opNames[op][1:] + fmt.Sprint(pat), blocks: true, results: []kernel.Address{el}}
			in := make([]ir.Value, len(info.In))
			for j, t := range info.In {
				if pat>>j&1 == 0 {
					in[j] = b.Arg("x", t)
					s.inputs = append(s.inputs, el)
				}
			}
			for j, t := range info.In {
				if pat>>j&1 == 1 { in[j] = b.Arg("p", t) }
			}
			b.Result("r", b.Op(op, in...))
			s.body = b.Program("")
			list = append(list, s)
		}
	}
	id := func(name string, t ir.Type, r kernel.Address, in ...kernel.Address) {
		var b ir.Builder
		b.Result("r", b.Arg("x", t))
		list = append(list, spec{name: name, body: b.Program(""), results: []kernel.Address{r}, inputs: in, blocks: true})
	}
	id("fill", ir.U32, el)
	id("expand", ir.Bool, el, bit)
	id("compress", ir.Bool, bit, el)
	return list
}
