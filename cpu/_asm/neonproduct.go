package main

import (
	"fmt"
	"strings"
)

// neonPatchShapes returns the shapes of the kernels of NEON: two vectors of elements of A, of
// which each instruction multiplies by one, and three of B.
func neonPatchShapes() (list []patchShape) {
	for rows := 1; rows <= 8; rows++ {
		for vectors := 1; vectors <= 3; vectors++ {
			list = append(list, patchShape{rows, vectors})
		}
		if rows <= 2 {
			list = append(list, patchShape{rows, 8})
		}
	}
	return list
}

// neonPatch returns the kernel of a shape. C is at R0, A at R1, B at R2, K in R3.
func neonPatch(s patchShape) string {
	var b strings.Builder
	printf := func(format string, args ...any) { fmt.Fprintf(&b, "\t"+format+"\n", args...) }
	label := func(name string) { fmt.Fprintf(&b, "\n%s:\n", name) }
	sums := s.rows * s.vectors
	sum := func(row, v int) int { return row*s.vectors + v }
	a := sums              // one or two registers
	at := a + (s.rows+3)/4 // of B
	kept := min(s.vectors, 32-at)
	fmt.Fprintf(&b, "\n// func %[1]sNEON(p *patch)\nTEXT ·%[1]sNEON(SB), NOSPLIT, $0-8\n", s.name())
	printf("MOVD p+0(FP), R9")
	for i, field := range []string{"c", "a", "b", "k", "stepA", "stepB", "rowC", "add"} {
		printf("MOVD patch_%s(R9), R%d", field, i)
	}
	for i := range sums {
		printf("VEOR V%[1]d.B16, V%[1]d.B16, V%[1]d.B16", i)
	}
	label("step")
	for i := a; i < at; i++ {
		printf("FMOVQ %d(R1), F%d", 16*(i-a), i)
	}
	printf("ADD R4, R1")
	for v := range s.vectors {
		y := at + v%kept
		printf("FMOVQ %d(R2), F%d", 16*v, y)
		if kept == s.vectors && v+1 < s.vectors {
			continue
		}
		first := v
		if kept == s.vectors {
			first = 0
		}
		for row := range s.rows {
			for w := first; w <= v; w++ {
				printf("VFMLAE(%d, %d, %d, %d)", a+row/4, row%4, at+w%kept, sum(row, w))
			}
		}
	}
	printf("ADD R5, R2")
	printf("SUBS $1, R3")
	printf("BNE step")
	printf("CBZ R7, store")
	for _, add := range []bool{true, false} {
		if !add {
			label("store")
		}
		for row := range s.rows {
			for v := range s.vectors {
				if add {
					printf("FMOVQ %d(R0), F%d", 16*v, a)
					printf("VFADD(%d, %d, %d)", sum(row, v), a, sum(row, v))
				}
				printf("FMOVQ F%d, %d(R0)", sum(row, v), 16*v)
			}
			if row+1 < s.rows {
				printf("ADD R6, R0")
			}
		}
		printf("RET")
	}
	return b.String()
}

// neonTransposeRows is the number of rows that neonTranspose takes.
const neonTransposeRows = 4

// neonTranspose returns the function that transposes rows of A to columns of C, four columns of
// A at a time.
func neonTranspose() string {
	return `
// func transposeNEON(p *patch)
TEXT ·transposeNEON(SB), NOSPLIT, $0-8
	MOVD p+0(FP), R9
	MOVD patch_c(R9), R0
	MOVD patch_a(R9), R1
	MOVD patch_k(R9), R3
	MOVD patch_rowA(R9), R4
	MOVD patch_rowC(R9), R6
	ADD  R4, R1, R2
	ADD  R4, R2, R5
	ADD  R4, R5, R7

step:
	FMOVQ.P 16(R1), F0
	FMOVQ.P 16(R2), F1
	FMOVQ.P 16(R5), F2
	FMOVQ.P 16(R7), F3
	VZIP1   V1.S4, V0.S4, V4.S4
	VZIP2   V1.S4, V0.S4, V5.S4
	VZIP1   V3.S4, V2.S4, V6.S4
	VZIP2   V3.S4, V2.S4, V7.S4
	VZIP1   V6.D2, V4.D2, V0.D2
	VZIP2   V6.D2, V4.D2, V1.D2
	VZIP1   V7.D2, V5.D2, V2.D2
	VZIP2   V7.D2, V5.D2, V3.D2
	FMOVQ   F0, (R0)
	ADD     R6, R0
	FMOVQ   F1, (R0)
	ADD     R6, R0
	FMOVQ   F2, (R0)
	ADD     R6, R0
	FMOVQ   F3, (R0)
	ADD     R6, R0
	SUBS    $4, R3
	BNE     step
	RET
`
}

// neonPatchTable returns the field of the table.
func neonPatchTable() string {
	return patchField("NEON", neonPatchShapes(), fmt.Sprintf("vectors: 3, width: 4,\ntransposeRows: %d, transpose: transposeNEON, transposed: true,\n", neonTransposeRows))
}

// neonPatches returns the functions of products.
func neonPatches() string {
	var b strings.Builder
	for _, s := range neonPatchShapes() {
		b.WriteString(neonPatch(s))
	}
	return b.String() + neonTranspose()
}

// neonPatchStubs returns their declarations.
func neonPatchStubs() string {
	var b strings.Builder
	for _, s := range neonPatchShapes() {
		fmt.Fprintf(&b, "\n// %sNEON computes %s.\n//\n//go:noescape\nfunc %[1]sNEON(p *patch)\n", s.name(), s.doc())
	}
	return b.String() + fmt.Sprintf("\n// transposeNEON transposes %d rows of k elements, a multiple of 4.\n//\n//go:noescape\nfunc transposeNEON(p *patch)\n", neonTransposeRows)
}
