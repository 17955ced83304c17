package main

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"math"
	"slices"
	"strings"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// vectorWords are the instructions on vectors of four lanes that Go's assembler lacks.
var vectorWords = []struct {
	name     string
	code     uint32
	operands int // registers: the result is the last
	doc      string
}{
	{"VFADD", 0x4e20d400, 3, "FADD Vd.4S, Vn.4S, Vm.4S"},
	{"VFSUB", 0x4ea0d400, 3, "FSUB Vd.4S, Vn.4S, Vm.4S"},
	{"VFMUL", 0x6e20dc00, 3, "FMUL Vd.4S, Vn.4S, Vm.4S"},
	{"VFDIV", 0x6e20fc00, 3, "FDIV Vd.4S, Vn.4S, Vm.4S"},
	{"VFCMEQ", 0x4e20e400, 3, "FCMEQ Vd.4S, Vn.4S, Vm.4S"},
	{"VFCMGE", 0x6e20e400, 3, "FCMGE Vd.4S, Vn.4S, Vm.4S"},
	{"VFCMGT", 0x6ea0e400, 3, "FCMGT Vd.4S, Vn.4S, Vm.4S"},
	{"VFCMEQ0", 0x4ea0d800, 2, "FCMEQ Vd.4S, Vn.4S, #0.0"},
	{"VFCMGE0", 0x6ea0c800, 2, "FCMGE Vd.4S, Vn.4S, #0.0"},
	{"VFCMGT0", 0x4ea0c800, 2, "FCMGT Vd.4S, Vn.4S, #0.0"},
	{"VFCMLE0", 0x6ea0d800, 2, "FCMLE Vd.4S, Vn.4S, #0.0"},
	{"VFCMLT0", 0x4ea0e800, 2, "FCMLT Vd.4S, Vn.4S, #0.0"},
	{"VFNEG", 0x6ea0f800, 2, "FNEG Vd.4S, Vn.4S"},
	{"VFABS", 0x4ea0f800, 2, "FABS Vd.4S, Vn.4S"},
	{"VFSQRT", 0x6ea1f800, 2, "FSQRT Vd.4S, Vn.4S"},
	{"VFRINTM", 0x4e219800, 2, "FRINTM Vd.4S, Vn.4S"},
	{"VFRINTP", 0x4ea18800, 2, "FRINTP Vd.4S, Vn.4S"},
	{"VFRINTZ", 0x4ea19800, 2, "FRINTZ Vd.4S, Vn.4S"},
	{"VFRINTN", 0x4e218800, 2, "FRINTN Vd.4S, Vn.4S"},
	{"VUCVTF", 0x6e21d800, 2, "UCVTF Vd.4S, Vn.4S"},
	{"VFCVTZU", 0x6ea1b800, 2, "FCVTZU Vd.4S, Vn.4S"},
	{"VMUL", 0x4ea09c00, 3, "MUL Vd.4S, Vn.4S, Vm.4S"},
	{"VCMHI", 0x6ea03400, 3, "CMHI Vd.4S, Vn.4S, Vm.4S"},
	{"VUSHL", 0x6ea04400, 3, "USHL Vd.4S, Vn.4S, Vm.4S"},
	{"VNEG", 0x6ea0b800, 2, "NEG Vd.4S, Vn.4S"},
	{"VNOT", 0x6e205800, 2, "NOT Vd.16B, Vn.16B"},
}

// arm64Table returns the Go file that declares the functions of arm64Source, and has the table
// of them.
func arm64Table() []byte {
	return formatted(generated + `//go:build !purego

package cpu

import (
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/ir"
)
` + table("neon", "NEON", "") + stubs("NEON"))
}

// arm64Source returns the assembly of all kernels.
func arm64Source() []byte {
	var text bytes.Buffer
	for _, s := range specs() {
		text.WriteString(neonFunction(s))
	}
	text.WriteString(neonPrefetch("prefetch", "PLDL1KEEP"))
	text.WriteString(neonPrefetch("prefetchWrite", "PSTL1KEEP"))

	var b bytes.Buffer
	b.WriteString(generated + "//go:build !purego\n\n#include \"go_asm.h\"\n#include \"textflag.h\"\n\n")
	b.WriteString("// Go's assembler lacks these instructions. The arguments are numbers of vector\n// registers, in its order: the result last.\n")
	for _, w := range vectorWords {
		if !bytes.Contains(text.Bytes(), []byte("\t"+w.name+"(")) {
			continue
		}
		if w.operands == 3 {
			fmt.Fprintf(&b, "#define %s(m, n, d) WORD $(%#x | m<<16 | n<<5 | d) // %s\n", w.name, w.code, w.doc)
		} else {
			fmt.Fprintf(&b, "#define %s(n, d) WORD $(%#x | n<<5 | d) // %s\n", w.name, w.code, w.doc)
		}
	}
	b.WriteString("\n// Lane i of the four vectors of a block has the bit i.\n")
	for i := range 16 {
		fmt.Fprintf(&b, "DATA blockBits<>+%d(SB)/4, $0x%04x\n", 4*i, 1<<i)
	}
	b.WriteString("GLOBL blockBits<>(SB), RODATA|NOPTR, $64\n")
	b.Write(text.Bytes())
	return b.Bytes()
}

// neonFunction returns the function of s. It computes as many vectors at a time as the
// registers allow.
func neonFunction(s spec) string {
	for _, vectors := range []int{4, 2, 1} {
		f := &neonFunc{spec: s, vectors: vectors}
		if text, err := f.function(); err == nil {
			return text
		} else if vectors == 1 || f.masked() {
			log.Fatalf("%s for NEON: %v", s.name, err)
		}
	}
	return ""
}

// neonPrefetch returns a function that prefetches the lines of an operand.
func neonPrefetch(name, how string) string {
	return fmt.Sprintf(`
// func %[1]sNEON(a *args)
TEXT ·%[1]sNEON(SB), NOSPLIT, $0-8
	MOVD a+0(FP), R6
	MOVD args_ptr(R6), R0
	MOVD args_n(R6), R4
	CBZ  R4, done

line:
	PRFM (R0), %[2]s
	ADD  $64, R0
	SUBS $16, R4
	BGT  line

done:
	RET
`, name, how)
}

// A neonFunc is a function that is being written. R0 to R3 point to the operands, R4 is the
// number of elements left, R6 points to the args at first, and R8 to R11 have the bits of
// masks while single elements are computed; R7 is the bit of the element then.
type neonFunc struct {
	spec
	vectors int // that a block has
	loops   strings.Builder
	err     error

	hoisted map[hoist]int // the registers that are set before the loops
	order   []hoist
	touched [32]bool // the registers that loops have used for something else

	// While a loop is written:
	count int      // vectors
	lanes int      // of a vector: 4, or 1 for an element
	busy  [32]bool // the registers in use
	at    [][]int  // by node and vector: the register
	last  []int    // by node: the last node that needs it; for results the number of nodes
	fused []bool   // by node: it is part of a later one
}

// A hoist is a value that is the same for all elements.
type hoist struct {
	what string // const, param, minus (a param with the other sign), or blockBits
	bits uint32 // of the constant, or the index
}

const done = math.MaxInt32

var errRegisters = errors.New("more values are live than there are registers")

func (f *neonFunc) masked() bool {
	return slices.Contains(f.results, kernel.Bit) || slices.Contains(f.inputs, kernel.Bit)
}

// function returns the text.
func (f *neonFunc) function() (string, error) {
	f.hoisted = map[hoist]int{}
	block := 4 * f.vectors
	if f.blocks {
		f.printf("CBZ R4, done")
		f.loop("block", f.vectors, 4)
		f.printf("SUBS $%d, R4", block)
		f.printf("BGT block")
	} else {
		f.printf("SUBS $%d, R4", block)
		f.printf("BLT block_end")
		f.loop("block", f.vectors, 4)
		f.printf("SUBS $%d, R4", block)
		f.printf("BGE block")
		f.label("block_end")
		if f.vectors > 1 && !f.masked() {
			f.printf("ADD $%d, R4", block)
			f.printf("SUBS $4, R4")
			f.printf("BLT vector_end")
			f.loop("vector", 1, 4)
			f.printf("SUBS $4, R4")
			f.printf("BGE vector")
			f.label("vector_end")
			block = 4
		}
		f.printf("ADDS $%d, R4", block)
		f.printf("BEQ done")
		f.elements()
	}
	f.label("done")
	f.printf("RET")
	return f.head() + f.loops.String(), f.err
}

// elements writes the loop of single elements, which are in lane 0 of vectors.
func (f *neonFunc) elements() {
	for i, a := range f.results {
		if a == kernel.Bit {
			f.printf("MOVD ZR, R%d", 8+i)
		}
	}
	for i, a := range f.inputs {
		if a == kernel.Bit {
			f.printf("MOVHU (R%d), R%d", f.pointer(i), 8+f.pointer(i))
		}
	}
	if slices.Contains(f.results, kernel.Bit) {
		f.printf("MOVD $1, R7")
	}
	f.loop("element", 1, 1)
	if slices.Contains(f.results, kernel.Bit) {
		f.printf("LSL $1, R7")
	}
	f.printf("SUBS $1, R4")
	f.printf("BNE element")
	for i, a := range f.results {
		if a == kernel.Bit {
			f.printf("MOVH R%d, (R%d)", 8+i, i)
		}
	}
}

// pointer returns the register that points to input i.
func (f *neonFunc) pointer(i int) int { return f.ptr[i] }

// head returns what stands before the loops.
func (f *neonFunc) head() string {
	loops := f.loops
	f.loops = strings.Builder{}
	fmt.Fprintf(&f.loops, "\n// func %[1]sNEON(a *args)\nTEXT ·%[1]sNEON(SB), NOSPLIT, $0-8\n", f.name)
	f.printf("MOVD a+0(FP), R6")
	f.printf("MOVD args_n(R6), R4")
	for i := range f.results {
		f.printf("MOVD (args_ptr+%d)(R6), R%d", 8*i, i)
	}
	for _, i := range f.ptr {
		f.printf("MOVD (args_ptr+%d)(R6), R%d", 8*i, i)
	}
	for _, h := range f.order {
		r := f.hoisted[h]
		switch {
		case h.what == "blockBits":
			if h.bits == 0 {
				f.printf("MOVD $blockBits<>(SB), R5")
			}
			f.printf("FMOVQ.P 16(R5), F%d", r)
		case h == hoist{"const", 0}:
			f.printf("VEOR V%[1]d.B16, V%[1]d.B16, V%[1]d.B16", r)
		case h.what == "const":
			f.printf("MOVD $%#x, R5", h.bits)
			f.printf("VDUP R5, V%d.S4", r)
		default:
			f.printf("MOVWU (args_params+%d)(R6), R5", 4*h.bits)
			f.printf("VDUP R5, V%d.S4", r)
			if h.what == "minus" {
				f.printf("VNEG(%d, %d)", r, r)
			}
		}
	}
	for i, a := range f.results {
		if a == kernel.Bit && !f.blocks {
			f.comment("The last word may have fewer bits than are stored to it.")
			f.printf("SUBS $1, R4, R5")
			f.printf("BLT cleared%d", i)
			f.printf("LSR $6, R5")
			f.printf("MOVD ZR, (R%d)(R5<<3)", i)
			f.label(fmt.Sprintf("cleared%d", i))
		}
	}
	text := f.loops.String()
	f.loops = loops
	return text
}

func (f *neonFunc) printf(format string, args ...any) {
	f.loops.WriteString("\t" + fmt.Sprintf(format, args...) + "\n")
}

func (f *neonFunc) comment(text string) { f.loops.WriteString("\n\t// " + text + "\n") }

func (f *neonFunc) label(name string) { f.loops.WriteString("\n" + name + ":\n") }

// loop writes the label and the body of a loop over count vectors.
func (f *neonFunc) loop(label string, count, lanes int) {
	f.label(label)
	f.count, f.lanes = count, lanes
	f.busy = [32]bool{}
	for _, r := range f.hoisted {
		f.busy[r] = true
	}
	f.at = make([][]int, len(f.body.Nodes))
	f.fuse()
	for i := range f.inputs {
		f.load(i)
	}
	for i, n := range f.body.Nodes {
		if n.Op > ir.Const && !f.fused[i] {
			f.node(ir.Value(i))
		}
	}
	for i, a := range f.results {
		if a != kernel.Bit {
			f.store(i)
		}
	}
	for i, a := range f.results {
		if a == kernel.Bit {
			f.keep(i)
		}
	}
}

// fuse finds the nodes that become a part of another, and the last use of each.
func (f *neonFunc) fuse() {
	nodes := f.body.Nodes
	uses := make([]int, len(nodes))
	for _, n := range nodes {
		for _, x := range n.Operands() {
			uses[x]++
		}
	}
	for _, r := range f.body.Results {
		uses[r.Value]++
	}
	f.fused, f.last = make([]bool, len(nodes)), make([]int, len(nodes))
	for i, n := range nodes {
		if _, _, ok := f.rotation(ir.Value(i)); ok && uses[n.In[0]] == 1 && uses[n.In[1]] == 1 {
			f.fused[n.In[0]], f.fused[n.In[1]] = true, true
		}
	}
	for i := range nodes {
		for _, x := range f.operands(ir.Value(i)) {
			f.last[x] = i
		}
	}
	for _, r := range f.body.Results {
		f.last[r.Value] = done
	}
}

// rotation returns x and the count if v is x rotated left.
func (f *neonFunc) rotation(v ir.Value) (x ir.Value, left uint64, ok bool) {
	nodes := f.body.Nodes
	n := nodes[v]
	if n.Op != ir.OrU32 {
		return 0, 0, false
	}
	l, r := nodes[n.In[0]], nodes[n.In[1]]
	if l.Op != ir.ShlU32 || r.Op != ir.ShrU32 || l.In[0] != r.In[0] || nodes[l.In[1]].Op != ir.Const || nodes[r.In[1]].Op != ir.Const {
		return 0, 0, false
	}
	left = nodes[l.In[1]].Imm
	return l.In[0], left, left+nodes[r.In[1]].Imm == 32
}

// operands returns those of v that have to be in registers while it is computed.
func (f *neonFunc) operands(v ir.Value) []ir.Value {
	n := &f.body.Nodes[v]
	if x, _, ok := f.rotation(v); ok && f.fused[n.In[0]] {
		return []ir.Value{x}
	}
	return n.Operands()
}

// hoist returns the register of what is the same for all elements. It takes the highest
// register that no loop has used.
func (f *neonFunc) hoist(h hoist) int {
	if r, ok := f.hoisted[h]; ok {
		return r
	}
	for r := 31; r >= 0; r-- {
		if !f.touched[r] && !f.busy[r] {
			f.hoisted[h], f.busy[r] = r, true
			f.order = append(f.order, h)
			return r
		}
	}
	f.err = errRegisters
	return 0
}

// take returns a free register.
func (f *neonFunc) take() int {
	for r, busy := range f.busy {
		if !busy {
			f.busy[r], f.touched[r] = true, true
			return r
		}
	}
	f.err = errRegisters
	return 0
}

// uniform reports whether v is a constant or a parameter, and which.
func (f *neonFunc) uniform(v ir.Value) (hoist, bool) {
	n := f.body.Nodes[v]
	switch {
	case n.Op == ir.Const && n.Type == ir.Bool:
		return hoist{"const", -uint32(n.Imm)}, true
	case n.Op == ir.Const:
		return hoist{"const", uint32(n.Imm)}, true
	case n.Op == ir.Arg && n.Imm >= uint64(len(f.inputs)):
		return hoist{"param", uint32(f.params[int(n.Imm)-len(f.inputs)])}, true
	}
	return hoist{}, false
}

// reg returns the register of vector u of v.
func (f *neonFunc) reg(v ir.Value, u int) int {
	if h, ok := f.uniform(v); ok {
		return f.hoist(h)
	}
	return f.at[v][u]
}

// dies reports whether only the node by needs v, so that its registers may be overwritten.
func (f *neonFunc) dies(v, by ir.Value) bool {
	_, uniform := f.uniform(v)
	return !uniform && f.last[v] == int(by)
}

// isZero reports whether v is the constant 0 or -0.
func (f *neonFunc) isZero(v ir.Value) bool {
	n := f.body.Nodes[v]
	return n.Op == ir.Const && n.Type == ir.F32 && n.Imm&math.MaxInt32 == 0
}

// node writes the instructions of v, those of all vectors in turn.
func (f *neonFunc) node(v ir.Value) {
	at, steps := make([]int, f.count), make([][]string, f.count)
	for u := range f.count {
		at[u], steps[u] = f.vector(v, u)
	}
	for i := range steps[0] {
		for u := range steps {
			f.printf("%s", steps[u][i])
		}
	}
	f.at[v] = at
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
	case ir.FMA:
		return f.fma(v, u)
	case ir.WhereF32, ir.WhereU32:
		return f.where(v, u)
	case ir.ShlU32, ir.ShrU32:
		return f.shift(v, u)
	}
	r := make([]any, len(in), len(in)+1)
	for i, x := range in {
		r[i] = f.reg(x, u)
	}
	switch n.Op {
	case ir.FromBits:
		if d = f.over(v, u, in[0]); d == r[0] {
			return d, nil
		}
		return d, []string{move(r[0], d)}
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

// over returns the register of one of the operands that only v needs, or a free one.
func (f *neonFunc) over(v ir.Value, u int, operands ...ir.Value) int {
	for _, x := range operands {
		if f.dies(x, v) {
			return f.at[x][u]
		}
	}
	return f.take()
}

func move(from any, to int) string { return fmt.Sprintf("VMOV V%d.B16, V%d.B16", from, to) }

// fma adds to z, or to a copy of it.
func (f *neonFunc) fma(v ir.Value, u int) (d int, steps []string) {
	in := f.operands(v)
	z := f.reg(in[2], u)
	if d = z; !f.dies(in[2], v) {
		d = f.take()
		steps = append(steps, move(z, d))
	}
	return d, append(steps, fmt.Sprintf("VFMLA V%d.S4, V%d.S4, V%d.S4", f.reg(in[1], u), f.reg(in[0], u), d))
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
	x := f.reg(n.In[0], u)
	count := f.body.Nodes[n.In[1]]
	d = f.over(v, u, n.In[0])
	left := n.Op == ir.ShlU32
	switch {
	case count.Op == ir.Const && count.Imm == 0:
		return d, []string{move(x, d)}
	case count.Op == ir.Const && left:
		return d, []string{fmt.Sprintf("VSHL $%d, V%d.S4, V%d.S4", count.Imm, x, d)}
	case count.Op == ir.Const:
		return d, []string{fmt.Sprintf("VUSHR $%d, V%d.S4, V%d.S4", count.Imm, x, d)}
	}
	h, ok := f.uniform(n.In[1])
	if !ok {
		log.Fatalf("%s: the count of a shift is neither a constant nor a parameter", f.name)
	}
	if !left {
		h.what = "minus"
	}
	return d, []string{fmt.Sprintf("VUSHL(%d, %d, %d)", f.hoist(h), x, d)}
}

// load loads input i.
func (f *neonFunc) load(i int) {
	v := slices.IndexFunc(f.body.Nodes, func(n ir.Node) bool { return n.Op == ir.Arg && n.Imm == uint64(i) })
	if v < 0 {
		return
	}
	p := f.pointer(i)
	at := make([]int, f.count)
	for u := range at {
		at[u] = f.take()
	}
	f.at[v] = at
	if f.inputs[i] != kernel.Bit {
		f.move(at, fmt.Sprintf("(R%d)", p), true)
		return
	}
	if f.lanes == 1 {
		f.printf("SBFX $0, R%d, $1, R5", 8+p)
		f.printf("FMOVS R5, F%d", at[0])
		f.printf("LSR $1, R%d", 8+p)
		return
	}
	word := f.take()
	f.printf("MOVHU.P 2(R%d), R5", p)
	f.printf("VDUP R5, V%d.S4", word)
	for u, d := range at {
		f.printf("VCMTST V%d.S4, V%d.S4, V%d.S4", f.hoist(hoist{"blockBits", uint32(u)}), word, d)
	}
	f.busy[word] = false
}

// store stores result i.
func (f *neonFunc) store(i int) {
	at := make([]int, f.count)
	for u := range at {
		at[u] = f.reg(f.body.Results[i].Value, u)
	}
	f.move(at, fmt.Sprintf("(R%d)", i), false)
}

// move loads or stores vectors, or an element, and advances the pointer.
func (f *neonFunc) move(at []int, pointer string, load bool) {
	one := func(op, registers string, size int) {
		memory := fmt.Sprintf("%d%s", size, pointer)
		if load {
			f.printf("%s.P %s, %s", op, memory, registers)
		} else {
			f.printf("%s.P %s, %s", op, registers, memory)
		}
	}
	pair := map[bool]string{true: "FLDPQ", false: "FSTPQ"}[load]
	switch {
	case f.lanes == 1:
		one("FMOVS", fmt.Sprintf("F%d", at[0]), 4)
	case f.count == 1:
		one("FMOVQ", fmt.Sprintf("F%d", at[0]), 16)
	default:
		for u := 0; u < f.count; u += 2 {
			one(pair, fmt.Sprintf("(F%d, F%d)", at[u], at[u+1]), 32)
		}
	}
}

// keep stores result i, a mask.
func (f *neonFunc) keep(i int) {
	v := f.body.Results[i].Value
	if f.lanes == 1 {
		f.printf("FMOVS F%d, R5", f.reg(v, 0))
		f.printf("AND R7, R5")
		f.printf("ORR R5, R%d", 8+i)
		return
	}
	sum := make([]int, f.count)
	for u := range sum {
		sum[u] = f.take()
		f.printf("VAND V%d.B16, V%d.B16, V%d.B16", f.hoist(hoist{"blockBits", uint32(u)}), f.reg(v, u), sum[u])
	}
	for half := f.count / 2; half > 0; half /= 2 {
		for u := range half {
			f.printf("VORR V%d.B16, V%d.B16, V%d.B16", sum[u+half], sum[u], sum[u])
		}
	}
	f.printf("VADDV V%[1]d.S4, V%[1]d", sum[0])
	f.printf("VMOV V%d.S[0], R5", sum[0])
	f.printf("MOVH.P R5, 2(R%d)", i)
	for _, r := range sum {
		f.busy[r] = false
	}
}
