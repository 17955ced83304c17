package main

import (
	"fmt"
	"go/token"
	"go/types"
	"log"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/gotypes"
	avo "github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// patchFields are the type patch of package cpu.
const patchFields = "struct{ c, a, b uintptr; k, rowA, stepA, stepB, rowC, add, rows, columns int }"

// A patchShape is the part of a product that one call of a kernel computes: rows, and vectors in
// each row.
type patchShape struct{ rows, vectors int }

// patchShapes returns the shapes of the kernels of an instruction set with so many registers:
// any number of rows up to the most, of 1 or 2 vectors, whose sums leave registers for two
// vectors of B and two elements of A; and more vectors where there are few rows, since each
// vector is a chain that waits for itself.
func patchShapes(registers int) (list []patchShape) {
	for rows := 1; rows <= (registers-4)/2; rows++ {
		list = append(list, patchShape{rows, 1}, patchShape{rows, 2})
		for _, vectors := range []int{4, 8} {
			if rows*vectors+rows+1 <= registers && rows < 4 {
				list = append(list, patchShape{rows, vectors})
			}
		}
	}
	return list
}

func (s patchShape) name() string { return fmt.Sprintf("patch%dx%d", s.rows, s.vectors) }

// doc returns the documentation of a kernel.
func (s patchShape) doc() string {
	rows := "1 row"
	if s.rows > 1 {
		rows = fmt.Sprintf("%d rows", s.rows)
	}
	if s.vectors == 1 {
		return "a patch of " + rows + " of a vector"
	}
	return fmt.Sprintf("a patch of %s of %d vectors", rows, s.vectors)
}

// patchTable returns the field of the table of an instruction set for amd64.
func patchTable(suffix string, registers, width int) string {
	dots := "{16, false, dot16AVX2}, {8, true, dot8AVX2}"
	if width == 16 {
		dots = "{32, true, dot32AVX512}, {16, true, dot16AVX512}, {8, true, dot8AVX2}"
	}
	return patchField(suffix, patchShapes(registers), fmt.Sprintf("vectors: 2, width: %[2]d,\n"+
		"transposeRows: %[3]d, transpose: transpose%[1]s, dots: []dot{"+dots+"},\n"+
		"streamRows: %[4]d, stream: stream%[1]s, streamRow: streamRow%[1]s,\n", suffix, width, transposeRows, streamRows))
}

// patchField returns the field of a table with the kernels of shapes, and other fields.
func patchField(suffix string, shapes []patchShape, others string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "patches: patches{\nrows: %d, %skernels: [maxRows + 1][maxVectors + 1]patchKernel{\n", shapes[len(shapes)-1].rows, others)
	for i, s := range shapes {
		if i == 0 || shapes[i-1].rows != s.rows {
			fmt.Fprintf(&b, "%d: {", s.rows)
		}
		fmt.Fprintf(&b, "%d: %s%s,", s.vectors, s.name(), suffix)
		if i+1 == len(shapes) || shapes[i+1].rows != s.rows {
			b.WriteString("},\n")
		}
	}
	b.WriteString("},\n},\n")
	return b.String()
}

// declarePatch makes the type patch of package cpu known to avo.
func declarePatch() {
	patch, err := types.Eval(token.NewFileSet(), nil, token.NoPos, patchFields)
	if err != nil {
		log.Fatal(err)
	}
	name := types.NewTypeName(token.NoPos, nil, "patch", nil)
	types.NewNamed(name, patch.Type, nil)
	types.Universe.Insert(name)
}

// A patchFunc is a kernel of products for amd64 that is being written.
type patchFunc struct {
	*build.Context
	patchShape
	set  isa
	args gotypes.Component
}

// The registers of a patchFunc.
var (
	patchC, patchB, patchK = reg.RDI, reg.RDX, reg.RCX
	patchRowA, patchStepA  = reg.R8, reg.R9
	patchStepB, patchRowC  = reg.R10, reg.R11
	patchA                 = []reg.GPPhysical{reg.RSI, reg.RAX, reg.RBX, reg.R12, reg.R13} // every third row
)

var patchFieldRegisters = map[string]reg.Register{
	"c": patchC, "a": patchA[0], "b": patchB, "k": patchK,
	"rowA": patchRowA, "stepA": patchStepA, "stepB": patchStepB, "rowC": patchRowC,
}

func zmm() (list []reg.VecPhysical) {
	return []reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10,
		reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15, reg.Z16, reg.Z17, reg.Z18, reg.Z19, reg.Z20, reg.Z21, reg.Z22,
		reg.Z23, reg.Z24, reg.Z25, reg.Z26, reg.Z27, reg.Z28, reg.Z29, reg.Z30, reg.Z31}
}

func ymm() (list []reg.VecPhysical) {
	for _, z := range zmm()[:16] {
		list = append(list, z.AsY().(reg.VecPhysical))
	}
	return list
}

// patchRegisters returns the vectors of an instruction set.
func patchRegisters(set isa) []reg.VecPhysical {
	if set.width() == 16 {
		return zmm()
	}
	return ymm()
}

// writePatches returns the functions of products of an instruction set.
func writePatches(set isa) (list []*avo.Function) {
	for _, s := range patchShapes(len(patchRegisters(set))) {
		f := &patchFunc{Context: build.NewContext(), patchShape: s, set: set}
		list = append(list, f.function(s.name(), "computes "+s.doc(), f.write))
	}
	other := func(rows int) *patchFunc {
		return &patchFunc{Context: build.NewContext(), patchShape: patchShape{rows, 0}, set: set}
	}
	f := other(transposeRows)
	list = append(list, f.function("transpose", fmt.Sprintf("transposes %d rows of k elements, a multiple of 4", transposeRows), f.transpose))
	for _, rows := range dotRows(set.width()) {
		f = other(rows)
		list = append(list, f.function(fmt.Sprintf("dot%d", rows), fmt.Sprintf("computes the products of a row and %d rows of k elements, a multiple of 4", rows), f.dot))
	}
	f = other(1)
	list = append(list, f.function("streamRow", "continues the chains of a row of C by a row of B", f.stream))
	f = other(streamRows)
	return append(list, f.function("stream", fmt.Sprintf("continues the chains of a row of C by %d rows of B", streamRows), f.stream))
}

// function returns a function of the patch p, which body writes.
func (f *patchFunc) function(name, doc string, body func()) *avo.Function {
	name += strings.ToUpper(f.set.name())
	f.Function(name)
	f.Attributes(attr.NOSPLIT)
	f.SignatureExpr("func(p *patch)")
	f.Pragma("noescape")
	f.Doc(name + " " + doc + ".")
	f.args = f.Dereference(f.Param("p"))
	body()
	file, err := f.Result()
	if err != nil {
		log.Fatal(err)
	}
	compiled, _ := compile(file)
	return compiled
}

// load loads the arguments of the fields, and computes where every third row of A is.
func (f *patchFunc) load(fields ...string) {
	for _, field := range fields {
		f.Load(f.args.Field(field), patchFieldRegisters[field])
	}
	for i := 1; 3*i < f.rows; i++ {
		f.LEAQ(operand.Mem{Base: patchA[i-1], Index: patchRowA, Scale: 2}, patchA[i])
		f.ADDQ(patchRowA, patchA[i])
	}
}

// transposeRows is the number of rows that are transposed at once.
const transposeRows = 8

// transpose writes a function that transposes rows of A to columns of C, four columns of A at a
// time: two rows in each register, then 4×4 elements in each half of four of these.
func (f *patchFunc) transpose() {
	f.load("c", "a", "k", "rowA", "rowC")
	f.Label("step")
	y := f.transposed()
	for i := range 4 {
		f.VMOVUPS(y[i], operand.Mem{Base: patchC})
		f.ADDQ(patchRowC, patchC)
	}
	for i := 0; 3*i < f.rows; i++ {
		f.ADDQ(operand.U32(16), patchA[i])
	}
	f.SUBQ(operand.U32(4), patchK)
	f.JNE(operand.LabelRef("step"))
	f.VZEROUPPER()
	f.RET()
}

func (f *patchFunc) write() {
	f.load("c", "a", "b", "k", "rowA", "stepA", "stepB", "rowC")
	vectors := patchRegisters(f.set)
	sum := func(row, v int) reg.VecPhysical { return vectors[row*f.vectors+v] }
	spare := vectors[f.rows*f.vectors:]
	bytes := 4 * f.set.width()
	f.Comment("The lines of C come while the chains are computed.")
	f.MOVQ(patchC, reg.R14)
	for row := range f.rows {
		for at := 0; at < f.vectors*bytes; at += 64 {
			f.PREFETCHT0(operand.Mem{Base: reg.R14, Disp: at})
		}
		if row+1 < f.rows {
			f.ADDQ(patchRowC, reg.R14)
		}
	}
	for i := range f.rows * f.vectors {
		x := vectors[i].AsX()
		if i > 15 {
			f.VPXORD(vectors[i], vectors[i], vectors[i])
		} else {
			f.VXORPS(x, x, x)
		}
	}
	const ahead = 8 // steps of k
	f.Label("step")
	if f.vectors <= 2 {
		b, a := spare[:f.vectors], spare[f.vectors:]
		for v := range b {
			f.VMOVUPS(operand.Mem{Base: patchB, Disp: v * bytes}, b[v])
		}
		f.prefetch(ahead, bytes)
		for row := range f.rows {
			x := a[row%2]
			f.VBROADCASTSS(f.elementOfA(row), x)
			for v := range b {
				f.VFMADD231PS(b[v], x, sum(row, v))
			}
		}
	} else {
		a, b := spare[:f.rows], spare[f.rows:]
		for row := range f.rows {
			f.VBROADCASTSS(f.elementOfA(row), a[row])
		}
		f.prefetch(ahead, bytes)
		for v := range f.vectors {
			y := b[v%len(b)]
			f.VMOVUPS(operand.Mem{Base: patchB, Disp: v * bytes}, y)
			for row := range f.rows {
				f.VFMADD231PS(y, a[row], sum(row, v))
			}
		}
	}
	f.ADDQ(patchStepB, patchB)
	for i := 0; 3*i < f.rows; i++ {
		f.ADDQ(patchStepA, patchA[i])
	}
	f.SUBQ(operand.U32(1), patchK)
	f.JNE(operand.LabelRef("step"))

	f.Load(f.args.Field("add"), patchK)
	f.TESTQ(patchK, patchK)
	f.JE(operand.LabelRef("store"))
	for _, add := range []bool{true, false} {
		if !add {
			f.Label("store")
		}
		for row := range f.rows {
			for v := range f.vectors {
				m := operand.Mem{Base: patchC, Disp: v * bytes}
				if add {
					f.VADDPS(m, sum(row, v), sum(row, v))
				}
				f.VMOVUPS(sum(row, v), m)
			}
			if row+1 < f.rows {
				f.ADDQ(patchRowC, patchC)
			}
		}
		f.VZEROUPPER()
		f.RET()
	}
}

// transposed loads four columns of A, and returns a register for each.
func (f *patchFunc) transposed() []reg.VecPhysical {
	y := ymm()
	for i := range 4 {
		f.VMOVUPS(f.elementOfA(i), y[i].AsX())
		f.VINSERTF128(operand.U8(1), f.elementOfA(4+i), y[i], y[i])
	}
	return f.transposedLanes(y)
}

// transposedLanes transposes the lanes of four rows each that are in the first four registers, with
// the use of four more, and returns the registers of the columns.
func (f *patchFunc) transposedLanes(y []reg.VecPhysical) []reg.VecPhysical {
	for i := 0; i < 4; i += 2 {
		f.VUNPCKLPS(y[i+1], y[i], y[4+i])
		f.VUNPCKHPS(y[i+1], y[i], y[5+i])
	}
	for i := range 2 {
		f.VUNPCKLPD(y[6+i], y[4+i], y[2*i])
		f.VUNPCKHPD(y[6+i], y[4+i], y[2*i+1])
	}
	return y[:4]
}

// prefetch fetches the row of B so many steps ahead.
func (f *patchFunc) prefetch(ahead uint8, bytes int) {
	for at := 0; at < f.vectors*bytes; at += 64 {
		f.PREFETCHT0(operand.Mem{Base: patchB, Index: patchStepB, Scale: ahead, Disp: at})
	}
}

// elementOfA returns where the element of A of a row is.
func (f *patchFunc) elementOfA(row int) operand.Mem {
	m := operand.Mem{Base: patchA[row/3]}
	if row%3 > 0 {
		m.Index, m.Scale = patchRowA, uint8(row%3)
	}
	return m
}
