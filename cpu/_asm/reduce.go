package main

import (
	"fmt"
	"go/token"
	"go/types"
	"log"
	"strings"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/buildtags"
	"github.com/mmcloughlin/avo/gotypes"
	avo "github.com/mmcloughlin/avo/ir"
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/pass"
	"github.com/mmcloughlin/avo/printer"
	"github.com/mmcloughlin/avo/reg"
)

// A fold is an operation that reduces elements. none is what changes nothing.
type fold struct {
	name string
	none bits32
	goOf string // the expression in Go, of two operands
	neon string // the instruction, of registers y, x and the result
}

const (
	infinity bits32 = 0x7f800000
	lanesOf         = 64 // linear.Lanes
)

// folds are in the order of compute.Reduction.
var folds = []fold{
	{"sum", 0, "%s + %s", "VFADD(%d, %d, %d)"},
	{"max", infinity | sign, "max(%s, %s)", "VFMAX(%d, %d, %d)"},
	{"min", infinity, "min(%s, %s)", "VFMIN(%d, %d, %d)"},
}

// foldKernels are the kernels of a fold, and what they compute.
var foldKernels = []struct{ name, doc string }{
	{"Columns", "the %s of each column and dst"},
	{"Rows", "the %s of each row, in lanes"},
}

// foldTable returns the field of the table of an instruction set.
func foldTable(suffix string) string {
	var b strings.Builder
	b.WriteString("folds: [3]fold{\n")
	for _, f := range folds {
		fmt.Fprintf(&b, "{%sColumns%s, %[1]sRows%[2]s},\n", f.name, suffix)
	}
	b.WriteString("},\n")
	return b.String()
}

// foldSources returns the assembly of the folds for amd64, and the Go file that declares them.
func foldSources() (assembly, declarations []byte) {
	args, err := types.Eval(token.NewFileSet(), nil, token.NoPos, "struct{ dst, src, pad uintptr; n, rows, stride int }")
	if err != nil {
		log.Fatal(err)
	}
	name := types.NewTypeName(token.NoPos, nil, "foldArgs", nil)
	types.NewNamed(name, args.Type, nil)
	types.Universe.Insert(name)

	file := avo.NewFile()
	file.Constraints = buildtags.Not("purego").ToConstraints()
	ones := avo.NewStaticGlobal("foldLanes")
	ones.Attributes = attr.RODATA | attr.NOPTR
	for i := range 2 * lanesOf {
		ones.Append(operand.U32([]uint32{1<<32 - 1, 0}[i/lanesOf]))
	}
	file.AddSection(ones)
	for _, c := range []bits32{sign, infinity} {
		global := avo.NewStaticGlobal("fold" + c.symbol().Name)
		global.Attributes = attr.RODATA | attr.NOPTR
		global.Append(operand.U32(uint32(c)))
		file.AddSection(global)
	}
	for _, set := range sets {
		for _, of := range folds {
			for _, k := range foldKernels {
				f := &foldFunc{Context: build.NewContext(), fold: of, set: set}
				f.write(k.name, k.doc)
				text, err := f.Result()
				if err != nil {
					log.Fatal(err)
				}
				compiled, ok := compile(text)
				if !ok {
					log.Fatalf("%s%s needs more registers than %s has", of.name, k.name, set.name())
				}
				file.AddSection(compiled)
			}
		}
	}
	if err := pass.IncludeTextFlagHeader(file); err != nil {
		log.Fatal(err)
	}
	config := printer.Config{Name: "cpu/_asm", Pkg: "cpu"}
	if assembly, err = printer.NewGoAsm(config).Print(file); err != nil {
		log.Fatal(err)
	}
	if declarations, err = printer.NewStubs(config).Print(file); err != nil {
		log.Fatal(err)
	}
	return assembly, declarations
}

// A foldFunc is a kernel of a fold for amd64 that is being written. The lanes are in the first
// vectors: 4 or 8.
type foldFunc struct {
	*build.Context
	fold
	set  isa
	args gotypes.Component

	dst, src, n, rows, stride reg.GPPhysical
}

// The vectors after those of lanes, for both instruction sets.
const (
	foldX = 8 + iota // elements
	foldLow
	foldHigh
	foldSign
	foldNone
	foldMask
)

// vector returns a vector register, or the lower part of it, of so many elements.
func (f *foldFunc) vector(i, elements int) reg.VecPhysical {
	z := []reg.VecPhysical{reg.Z0, reg.Z1, reg.Z2, reg.Z3, reg.Z4, reg.Z5, reg.Z6, reg.Z7, reg.Z8, reg.Z9, reg.Z10, reg.Z11, reg.Z12, reg.Z13, reg.Z14, reg.Z15}[i]
	switch elements {
	case 16:
		return z
	case 8:
		return z.AsY().(reg.VecPhysical)
	}
	return z.AsX().(reg.VecPhysical)
}

func (f *foldFunc) full(i int) reg.VecPhysical { return f.vector(i, f.set.width()) }

// vectors returns the number of vectors of all lanes.
func (f *foldFunc) vectors() int { return lanesOf / f.set.width() }

// write writes the function.
func (f *foldFunc) write(kernel, doc string) {
	name := f.name + kernel + strings.ToUpper(f.set.name())
	f.Function(name)
	f.Attributes(attr.NOSPLIT)
	f.SignatureExpr("func(a *foldArgs)")
	f.Pragma("noescape")
	f.Doc(name + " computes " + fmt.Sprintf(doc, f.name) + ".")
	f.dst, f.src, f.n, f.rows, f.stride = reg.RDI, reg.RSI, reg.RDX, reg.RCX, reg.R8
	f.args = f.Dereference(f.Param("a"))
	for _, field := range []struct {
		name string
		r    reg.GPPhysical
	}{{"dst", f.dst}, {"src", f.src}, {"n", f.n}, {"rows", f.rows}, {"stride", f.stride}} {
		f.Load(f.args.Field(field.name), field.r)
	}
	f.SHLQ(operand.U8(2), f.stride)
	if f.name == "max" {
		f.broadcast(sign, foldSign)
	}
	if kernel == "Columns" {
		f.columns()
	} else {
		f.sequences()
	}
	f.VZEROUPPER()
	f.RET()
}

func (f *foldFunc) broadcast(c bits32, i int) {
	f.VBROADCASTSS(operand.NewDataAddr(operand.NewStaticSymbol("fold"+c.symbol().Name), 0), f.full(i))
}

// columns writes the loops over blocks of columns and, in these, over rows.
func (f *foldFunc) columns() {
	at, left := reg.RAX, reg.R9
	f.Label("block")
	for v := range f.vectors() {
		f.VMOVUPS(f.mem(f.dst, v), f.full(v))
		f.turn(f.full(v))
	}
	f.MOVQ(f.src, at)
	f.MOVQ(f.rows, left)
	f.Label("row")
	for v := range f.vectors() {
		f.element(f.mem(at, v), v)
	}
	f.ADDQ(f.stride, at)
	f.SUBQ(operand.U32(1), left)
	f.JNE(operand.LabelRef("row"))
	for v := range f.vectors() {
		f.turn(f.full(v))
		f.VMOVUPS(f.full(v), f.mem(f.dst, v))
	}
	f.ADDQ(operand.U32(4*lanesOf), f.dst)
	f.ADDQ(operand.U32(4*lanesOf), f.src)
	f.SUBQ(operand.U32(lanesOf), f.n)
	f.JG(operand.LabelRef("block"))
}

// mem returns the place of vector v after at.
func (f *foldFunc) mem(at reg.Register, v int) operand.Mem {
	return operand.Mem{Base: at, Disp: 4 * f.set.width() * v}
}

// turn changes the sign of a vector for max, which is -min(-d, -x).
func (f *foldFunc) turn(v reg.VecPhysical) {
	if f.name == "max" {
		f.xor(f.full(foldSign), v)
	}
}

func (f *foldFunc) xor(x, d reg.VecPhysical) {
	if f.set.width() == 16 {
		f.VPXORD(x, d, d)
	} else {
		f.VXORPS(x, d, d)
	}
}

// element adds the elements at m to lanes.
func (f *foldFunc) element(m operand.Mem, lane int) {
	if f.name == "sum" {
		f.VADDPS(m, f.full(lane), f.full(lane))
		return
	}
	f.VMOVUPS(m, f.full(foldX))
	f.turn(f.full(foldX))
	f.combine(foldX, lane, f.set.width())
}

// combine adds x to d: so many elements. VMINPS returns its second operand if one is NaN, or if
// both are zeros. One order or the other therefore has a NaN that there is, or the sign of a -0.
func (f *foldFunc) combine(x, d, elements int) {
	vx, vd, low, high := f.vector(x, elements), f.vector(d, elements), f.vector(foldLow, elements), f.vector(foldHigh, elements)
	if f.name == "sum" {
		f.VADDPS(vx, vd, vd)
		return
	}
	f.VMINPS(vx, vd, low)
	f.VMINPS(vd, vx, high)
	if elements == 16 {
		f.VPORD(low, high, vd)
	} else {
		f.VORPS(low, high, vd)
	}
}

// sequences writes the loop over rows. The elements of each are dealt out to lanes, which are
// halved.
func (f *foldFunc) sequences() {
	at, left, rest := reg.RAX, reg.R9, reg.R10
	if f.name != "sum" {
		f.broadcast(infinity, foldNone)
	}
	f.MOVQ(f.n, rest)
	f.ANDQ(operand.U32(lanesOf-1), rest)
	f.SUBQ(rest, f.n)
	masks := f.masks(rest)
	f.TESTQ(f.n, f.n)
	f.JNE(operand.LabelRef("row"))
	f.CMPQ(rest, operand.U32(uint32(f.set.width())))
	f.JG(operand.LabelRef("row"))
	f.Comment("Rows of at most a vector.")
	f.Label("short")
	f.clear(0)
	f.load(f.mem(f.src, 0), masks, 0)
	f.combine(foldX, 0, f.set.width())
	f.halveVector()
	f.next("short")
	f.JMP(operand.LabelRef("done"))
	f.Label("row")
	for v := range f.vectors() {
		f.clear(v)
	}
	f.MOVQ(f.src, at)
	f.MOVQ(f.n, left)
	f.TESTQ(left, left)
	f.JE(operand.LabelRef("tail"))
	f.Label("block")
	for v := range f.vectors() {
		f.element(f.mem(at, v), v)
	}
	f.ADDQ(operand.U32(4*lanesOf), at)
	f.SUBQ(operand.U32(lanesOf), left)
	f.JNE(operand.LabelRef("block"))
	f.Label("tail")
	f.TESTQ(rest, rest)
	f.JE(operand.LabelRef("halve"))
	for v := range f.vectors() {
		f.load(f.mem(at, v), masks, v)
		f.combine(foldX, v, f.set.width())
	}
	f.Label("halve")
	for half := f.vectors() / 2; half > 0; half /= 2 {
		for v := range half {
			f.combine(v+half, v, f.set.width())
		}
	}
	f.halveVector()
	f.next("row")
	f.Label("done")
}

// clear sets lanes to none.
func (f *foldFunc) clear(v int) {
	if f.name == "sum" {
		x := f.vector(v, 4)
		f.VXORPS(x, x, x) // clears the whole register
	} else {
		f.VMOVAPS(f.full(foldNone), f.full(v))
	}
}

// halveVector folds the lanes of the first vector.
func (f *foldFunc) halveVector() {
	if f.set.width() == 16 {
		f.VEXTRACTF64X4(operand.U8(1), f.vector(0, 16), f.vector(foldX, 8))
		f.combine(foldX, 0, 8)
	}
	f.VEXTRACTF128(operand.U8(1), f.vector(0, 8), f.vector(foldX, 4))
	f.combine(foldX, 0, 4)
	f.VPERMILPS(operand.U8(0b1110), f.vector(0, 4), f.vector(foldX, 4))
	f.combine(foldX, 0, 4)
	f.VPERMILPS(operand.U8(0b01), f.vector(0, 4), f.vector(foldX, 4))
	f.combine(foldX, 0, 4)
	if f.name == "max" {
		f.VXORPS(f.vector(foldSign, 4), f.vector(0, 4), f.vector(0, 4))
	}
}

// next stores the fold of a row, and goes on with the next if there is one.
func (f *foldFunc) next(label string) {
	f.VMOVSS(f.vector(0, 4), operand.Mem{Base: f.dst})
	f.ADDQ(operand.U32(4), f.dst)
	f.ADDQ(f.stride, f.src)
	f.SUBQ(operand.U32(1), f.rows)
	f.JNE(operand.LabelRef(label))
}

// masks prepares those of the last elements, of which there are rest: mask registers, or a
// pointer to vectors.
func (f *foldFunc) masks(rest reg.GPPhysical) (masks []reg.Register) {
	if f.set.width() == 16 {
		bits := reg.R11
		f.MOVQ(operand.I32(-1), bits)
		f.BZHIQ(rest, bits, bits)
		for _, k := range []reg.Register{reg.K1, reg.K2, reg.K3, reg.K4} {
			f.KMOVW(bits.As32(), k)
			f.SHRQ(operand.U8(16), bits)
			masks = append(masks, k)
		}
		return masks
	}
	at := reg.R11
	f.LEAQ(operand.NewDataAddr(operand.NewStaticSymbol("foldLanes"), 4*lanesOf), at)
	f.MOVQ(rest, reg.RBX)
	f.SHLQ(operand.U8(2), reg.RBX)
	f.SUBQ(reg.RBX, at)
	return []reg.Register{at}
}

// load sets foldX to the elements at m that the mask of vector v has, and to none otherwise.
func (f *foldFunc) load(m operand.Mem, masks []reg.Register, v int) {
	x, mask, none := f.full(foldX), f.full(foldMask), f.full(foldNone)
	switch {
	case f.set.width() == 16 && f.name == "sum":
		f.VMOVUPS_Z(m, masks[v], x)
	case f.set.width() == 16:
		f.VMOVAPS(none, x)
		if f.name == "max" {
			f.turn(x)
		}
		f.VMOVUPS(m, masks[v], x)
		f.turn(x)
	default:
		f.VMOVDQU(f.mem(masks[0], v), mask)
		f.VMASKMOVPS(m, mask, x)
		if f.name != "sum" {
			f.turn(x)
			f.VBLENDVPS(mask, x, none, x)
		}
	}
}
