package main

import (
	"fmt"
	"strings"
)

// neonFolds returns the assembly of the folds. The lanes are in V0 to V15, and the elements to
// add in V16 to V19.
func neonFolds() []byte {
	var b strings.Builder
	b.WriteString(generated + "//go:build !purego\n\n#include \"go_asm.h\"\n#include \"textflag.h\"\n\n")
	b.WriteString("// Go's assembler lacks these instructions: see kernels_arm64.s.\n")
	for _, w := range vectorWords {
		for _, f := range folds {
			if strings.HasPrefix(f.neon, w.name+"(") {
				fmt.Fprintf(&b, "#define %s(m, n, d) WORD $(%#x | m<<16 | n<<5 | d) // %s\n", w.name, w.code, w.doc)
			}
		}
	}
	for _, f := range folds {
		n := &neonFold{fold: f}
		n.function("Columns")
		n.columns()
		n.function("Rows")
		n.rows()
		b.WriteString(n.text.String())
	}
	return []byte(b.String())
}

// neonFoldStubs returns the Go file that declares them.
func neonFoldStubs() []byte {
	var b strings.Builder
	b.WriteString(generated + "//go:build !purego\n\npackage cpu\n")
	for _, f := range folds {
		for _, k := range foldKernels {
			fmt.Fprintf(&b, "\n// %s%sNEON computes %s.\n//\n//go:noescape\nfunc %[1]s%[2]sNEON(a *foldArgs)\n", f.name, k.name, fmt.Sprintf(k.doc, f.name))
		}
	}
	return formatted(b.String())
}

// A neonFold is the kernels of a fold that are being written. R0 to R5 are the fields of the
// arguments, the stride in bytes.
type neonFold struct {
	fold
	text strings.Builder
}

func (f *neonFold) printf(format string, args ...any) {
	f.text.WriteString("\t" + fmt.Sprintf(format, args...) + "\n")
}

func (f *neonFold) label(name string) { f.text.WriteString("\n" + name + ":\n") }

func (f *neonFold) function(kernel string) {
	fmt.Fprintf(&f.text, "\n// func %[1]s%[2]sNEON(a *foldArgs)\nTEXT ·%[1]s%[2]sNEON(SB), NOSPLIT, $0-8\n", f.name, kernel)
	f.printf("MOVD a+0(FP), R6")
	for i, field := range []string{"dst", "src", "pad", "n", "rows", "stride"} {
		f.printf("MOVD foldArgs_%s(R6), R%d", field, i)
	}
	f.printf("LSL $2, R5")
}

// combine writes the operation on vectors.
func (f *neonFold) combine(x, d int) { f.printf(f.neon, x, d, d) }

// block adds the 64 elements at a register, which it moves on, to the lanes.
func (f *neonFold) block(at string) {
	for v := 0; v < 16; v += 4 {
		f.printf("VLD1.P 64(%s), [V16.S4, V17.S4, V18.S4, V19.S4]", at)
		for i := range 4 {
			f.combine(16+i, v+i)
		}
	}
}

func (f *neonFold) columns() {
	f.label("block")
	f.printf("MOVD R0, R7")
	for v := 0; v < 16; v += 4 {
		f.printf("VLD1.P 64(R7), [V%d.S4, V%d.S4, V%d.S4, V%d.S4]", v, v+1, v+2, v+3)
	}
	f.printf("MOVD R1, R8")
	f.printf("MOVD R4, R9")
	f.label("row")
	f.printf("MOVD R8, R7")
	f.block("R7")
	f.printf("ADD R5, R8")
	f.printf("SUBS $1, R9")
	f.printf("BNE row")
	for v := 0; v < 16; v += 4 {
		f.printf("VST1.P [V%d.S4, V%d.S4, V%d.S4, V%d.S4], 64(R0)", v, v+1, v+2, v+3)
	}
	f.printf("ADD $256, R1")
	f.printf("SUBS $64, R3")
	f.printf("BGT block")
	f.printf("RET")
}

// rows copies the last elements of a row to the pad, whose others are none.
func (f *neonFold) rows() {
	f.printf("AND $63, R3, R10")
	f.printf("SUB R10, R3")
	f.printf("MOVD $%#x, R11", uint64(f.none))
	f.label("row")
	for v := range 16 {
		f.printf("VDUP R11, V%d.S4", v)
	}
	f.printf("MOVD R1, R8")
	f.printf("MOVD R3, R9")
	f.printf("CBZ R9, tail")
	f.label("block")
	f.block("R8")
	f.printf("SUBS $64, R9")
	f.printf("BNE block")
	f.label("tail")
	f.printf("CBZ R10, halve")
	f.printf("MOVD R10, R9")
	f.printf("MOVD R2, R7")
	f.label("element")
	f.printf("MOVWU.P 4(R8), R12")
	f.printf("MOVW.P R12, 4(R7)")
	f.printf("SUBS $1, R9")
	f.printf("BNE element")
	f.printf("MOVD R2, R7")
	f.block("R7")
	f.label("halve")
	for half := 8; half > 0; half /= 2 {
		for v := range half {
			f.combine(v+half, v)
		}
	}
	for _, bytes := range []int{8, 4} {
		f.printf("VEXT $%d, V0.B16, V0.B16, V1.B16", bytes)
		f.combine(1, 0)
	}
	f.printf("FMOVS F0, (R0)")
	f.printf("ADD $4, R0")
	f.printf("ADD R5, R1")
	f.printf("SUBS $1, R4")
	f.printf("BNE row")
	f.printf("RET")
}
