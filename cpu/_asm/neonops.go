package main

import (
	"fmt"
	"log"
	"slices"

	"github.com/gmind-go/compute/internal/ir"
)

// node writes the instructions of v, those of all vectors in turn.
func (f *neonFunc) node(v ir.Value) {
	n := f.parts(f.body.Nodes[v].Type)
	at, steps := make([]int, n), make([][]string, n)
	for u := range n {
		at[u], steps[u] = f.vector(v, u)
	}
	for i := range steps[0] {
		for u := range steps {
			f.printf("%s", steps[u][i])
		}
	}
	f.at[v] = at
	for _, r := range f.temps {
		f.busy[r] = false
	}
	clear(f.temps)
	for _, x := range f.operands(v) {
		if f.dies(x, v) {
			for _, r := range f.at[x] {
				f.busy[r] = slices.Contains(at, r)
			}
		}
	}
}

// neonOps are the instructions of operations that are one. Its arguments are the registers
// of the operands and of the result.
var neonOps = map[ir.Op]string{
	ir.NegF32:     "VFNEG(%[1]d, %[2]d)",
	ir.Abs:        "VFABS(%[1]d, %[2]d)",
	ir.Sqrt:       "VFSQRT(%[1]d, %[2]d)",
	ir.Floor:      "VFRINTM(%[1]d, %[2]d)",
	ir.Ceil:       "VFRINTP(%[1]d, %[2]d)",
	ir.Trunc:      "VFRINTZ(%[1]d, %[2]d)",
	ir.Rint:       "VFRINTN(%[1]d, %[2]d)",
	ir.Not:        "VNOT(%[1]d, %[2]d)",
	ir.F32FromU32: "VUCVTF(%[1]d, %[2]d)",
	ir.U32FromF32: "VFCVTZU(%[1]d, %[2]d)",
	ir.AddF32:     "VFADD(%[2]d, %[1]d, %[3]d)",
	ir.SubF32:     "VFSUB(%[2]d, %[1]d, %[3]d)",
	ir.MulF32:     "VFMUL(%[2]d, %[1]d, %[3]d)",
	ir.DivF32:     "VFDIV(%[2]d, %[1]d, %[3]d)",
	ir.EqF32:      "VFCMEQ(%[2]d, %[1]d, %[3]d)",
	ir.LtF32:      "VFCMGT(%[1]d, %[2]d, %[3]d)", // y > x
	ir.LeF32:      "VFCMGE(%[1]d, %[2]d, %[3]d)",
	ir.And:        "VAND V%[2]d.B16, V%[1]d.B16, V%[3]d.B16",
	ir.Or:         "VORR V%[2]d.B16, V%[1]d.B16, V%[3]d.B16",
	ir.AddU32:     "VADD V%[2]d.S4, V%[1]d.S4, V%[3]d.S4",
	ir.SubU32:     "VSUB V%[2]d.S4, V%[1]d.S4, V%[3]d.S4",
	ir.MulU32:     "VMUL(%[2]d, %[1]d, %[3]d)",
	ir.AndU32:     "VAND V%[2]d.B16, V%[1]d.B16, V%[3]d.B16",
	ir.OrU32:      "VORR V%[2]d.B16, V%[1]d.B16, V%[3]d.B16",
	ir.XorU32:     "VEOR V%[2]d.B16, V%[1]d.B16, V%[3]d.B16",
	ir.EqU32:      "VCMEQ V%[2]d.S4, V%[1]d.S4, V%[3]d.S4",
	ir.LtU32:      "VCMHI(%[1]d, %[2]d, %[3]d)", // v > u
	ir.NegF64:     "VFNEGD(%[1]d, %[2]d)",
	ir.AddF64:     "VFADDD(%[2]d, %[1]d, %[3]d)",
	ir.SubF64:     "VFSUBD(%[2]d, %[1]d, %[3]d)",
	ir.MulF64:     "VFMULD(%[2]d, %[1]d, %[3]d)",
	ir.DivF64:     "VFDIVD(%[2]d, %[1]d, %[3]d)",
	ir.AddU64:     "VADD V%[2]d.D2, V%[1]d.D2, V%[3]d.D2",
	ir.AndU64:     "VAND V%[2]d.B16, V%[1]d.B16, V%[3]d.B16",
	ir.OrU64:      "VORR V%[2]d.B16, V%[1]d.B16, V%[3]d.B16",
}

// neonZero are the instructions that compare with 0: by the operation and which operand is 0.
var neonZero = map[ir.Op][2]string{
	ir.EqF32: {"VFCMEQ0(%d, %d)", "VFCMEQ0(%d, %d)"},
	ir.LtF32: {"VFCMGT0(%d, %d)", "VFCMLT0(%d, %d)"},
	ir.LeF32: {"VFCMGE0(%d, %d)", "VFCMLE0(%d, %d)"},
}

// vector returns the register of vector u of v, and the instructions that set it. These may
// overwrite what only v needs.
func (f *neonFunc) vector(v ir.Value, u int) (d int, steps []string) {
	n := &f.body.Nodes[v]
	in := f.operands(v)
	if format, ok := neonZero[n.Op]; ok {
		for i, x := range in {
			if f.isZero(x) {
				other := in[1-i]
				d = f.over(v, u, other)
				return d, []string{fmt.Sprintf(format[i], f.reg(other, u), d)}
			}
		}
	}
	if x, left, ok := f.rotation(v); ok && f.fused[n.In[0]] {
		d = f.take()
		return d, []string{
			fmt.Sprintf("VSHL $%d, V%d.S4, V%d.S4", left, f.reg(x, u), d),
			fmt.Sprintf("VSRI $%d, V%d.S4, V%d.S4", 32-left, f.reg(x, u), d),
		}
	}
	switch n.Op {
	case ir.FMA, ir.FMAF64:
		return f.fma(v, u)
	case ir.WhereF32, ir.WhereU32:
		return f.where(v, u)
	case ir.WhereF64:
		return f.whereDouble(v, u)
	case ir.F64FromF32:
		return f.lengthen(v, u)
	case ir.F32FromF64:
		return f.shorten(v, u)
	case ir.ShlU32, ir.ShrU32, ir.ShlU64, ir.ShrU64:
		return f.shift(v, u)
	}
	r := make([]any, len(in), len(in)+1)
	for i, x := range in {
		r[i] = f.reg(x, u)
	}
	switch n.Op {
	case ir.Bits: // the same bits if x equals x, otherwise those of NaN
		d = f.take()
		nan := f.hoist(hoist{"const", 0x7fc00000})
		return d, []string{
			fmt.Sprintf("VFCMEQ(%[1]d, %[1]d, %[2]d)", r[0], d),
			fmt.Sprintf("VBSL V%d.B16, V%d.B16, V%d.B16", nan, r[0], d),
		}
	case ir.Copysign: // the sign of y if y equals y; the other bits of x
		d = f.take()
		sign := f.hoist(hoist{"const", 1 << 31})
		return d, []string{
			fmt.Sprintf("VFCMEQ(%[1]d, %[1]d, %[2]d)", r[1], d),
			fmt.Sprintf("VAND V%d.B16, V%d.B16, V%d.B16", r[1], d, d),
			fmt.Sprintf("VBIF V%d.B16, V%d.B16, V%d.B16", sign, r[0], d),
		}
	case ir.Min, ir.Max:
		d = f.take()
		less := fmt.Sprintf("VFCMGT(%d, %d, %d)", r[0], r[1], d)
		if n.Op == ir.Max {
			less = fmt.Sprintf("VFCMGT(%d, %d, %d)", r[1], r[0], d)
		}
		return d, []string{less, fmt.Sprintf("VBSL V%d.B16, V%d.B16, V%d.B16", r[1], r[0], d)}
	}
	format, ok := neonOps[n.Op]
	if !ok {
		log.Fatalf("%s: NEON has no operation %v", f.name, n.Op.Info().Name)
	}
	d = f.over(v, u, in...)
	return d, []string{fmt.Sprintf(format, append(r, d)...)}
}

func move(from any, to int) string { return fmt.Sprintf("VMOV V%d.B16, V%d.B16", from, to) }

// fma adds to z, or to a copy of it.
func (f *neonFunc) fma(v ir.Value, u int) (d int, steps []string) {
	in := f.operands(v)
	if f.dies(in[2], v) {
		d = f.reg(in[2], u)
	} else {
		d = f.take()
		steps = append(steps, f.copy(in[2], u, d))
	}
	op := "VFMLA"
	if f.negative(v) {
		op = "VFMLS"
	}
	return d, append(steps, fmt.Sprintf("%[1]s V%[3]d.%[2]s, V%[4]d.%[2]s, V%[5]d.%[2]s", op, arrangement(f.body.Nodes[v].Type), f.reg(in[1], u), f.reg(in[0], u), d))
}

// where overwrites an operand that nothing else needs, or a copy of the condition.
func (f *neonFunc) where(v ir.Value, u int) (d int, steps []string) {
	in := f.operands(v)
	c, x, y := f.reg(in[0], u), f.reg(in[1], u), f.reg(in[2], u)
	switch {
	case f.dies(in[0], v):
		return c, []string{fmt.Sprintf("VBSL V%d.B16, V%d.B16, V%d.B16", y, x, c)}
	case f.dies(in[2], v):
		return y, []string{fmt.Sprintf("VBIT V%d.B16, V%d.B16, V%d.B16", c, x, y)}
	case f.dies(in[1], v):
		return x, []string{fmt.Sprintf("VBIF V%d.B16, V%d.B16, V%d.B16", c, y, x)}
	}
	d = f.take()
	return d, []string{move(c, d), fmt.Sprintf("VBSL V%d.B16, V%d.B16, V%d.B16", y, x, d)}
}

// shift shifts by a constant or by a parameter.
func (f *neonFunc) shift(v ir.Value, u int) (d int, steps []string) {
	n := &f.body.Nodes[v]
	in := f.operands(v)
	x := f.reg(in[0], u)
	count := f.body.Nodes[in[1]]
	d = f.over(v, u, in[0])
	left := n.Op == ir.ShlU32 || n.Op == ir.ShlU64
	switch {
	case count.Op == ir.Const && count.Imm == 0:
		return d, []string{move(x, d)}
	case count.Op == ir.Const:
		op := map[bool]string{true: "VSHL", false: "VUSHR"}[left]
		return d, []string{fmt.Sprintf("%s $%d, V%d.%[4]s, V%[5]d.%[4]s", op, count.Imm, x, arrangement(n.Type), d)}
	}
	h, ok := f.uniform(in[1])
	if !ok {
		log.Fatalf("%s: the count of a shift is neither a constant nor a parameter", f.name)
	}
	if !left {
		h.what = "minus"
	}
	return d, []string{fmt.Sprintf("VUSHL(%d, %d, %d)", f.hoist(h), x, d)}
}
