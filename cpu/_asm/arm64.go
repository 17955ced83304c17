package main

import (
	"bytes"
	"fmt"
	"log"
)

// vectorWords are the instructions on vectors that Go's assembler lacks.
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
	{"VFMAX", 0x4e20f400, 3, "FMAX Vd.4S, Vn.4S, Vm.4S"},
	{"VFMIN", 0x4ea0f400, 3, "FMIN Vd.4S, Vn.4S, Vm.4S"},
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
	{"VFADDD", 0x4e60d400, 3, "FADD Vd.2D, Vn.2D, Vm.2D"},
	{"VFSUBD", 0x4ee0d400, 3, "FSUB Vd.2D, Vn.2D, Vm.2D"},
	{"VFMULD", 0x6e60dc00, 3, "FMUL Vd.2D, Vn.2D, Vm.2D"},
	{"VFDIVD", 0x6e60fc00, 3, "FDIV Vd.2D, Vn.2D, Vm.2D"},
	{"VFNEGD", 0x6ee0f800, 2, "FNEG Vd.2D, Vn.2D"},
	{"VFCVTL", 0x0e617800, 2, "FCVTL Vd.2D, Vn.2S"},
	{"VFCVTL2", 0x4e617800, 2, "FCVTL2 Vd.2D, Vn.4S"},
	{"VFCVTN", 0x0e616800, 2, "FCVTN Vd.2S, Vn.2D"},
	{"VFCVTN2", 0x4e616800, 2, "FCVTN2 Vd.4S, Vn.2D"},
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
` + table("neon", "NEON", "", neonPatchTable()) + stubs("NEON") + neonPatchStubs())
}

// arm64Source returns the assembly of the kernels of list.
func arm64Source(list []spec) []byte {
	var text bytes.Buffer
	for _, s := range list {
		function, err := neonFunction(s)
		if err != nil {
			log.Fatalf("%s for NEON: %v", s.name, err)
		}
		text.WriteString(function)
	}
	text.WriteString(neonPrefetch("prefetch", "PLDL1KEEP"))
	text.WriteString(neonPrefetch("prefetchWrite", "PSTL1KEEP"))
	text.WriteString(neonPatches())

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
	b.WriteString("#define VFMLAE(m, i, n, d) WORD $(0x4f801000 | (i&1)<<21 | m<<16 | (i>>1)<<11 | n<<5 | d) // FMLA Vd.4S, Vn.4S, Vm.S[i]\n")
	b.WriteString("\n// Lane i of the four vectors of a block has the bit i.\n")
	for i := range 16 {
		fmt.Fprintf(&b, "DATA blockBits<>+%d(SB)/4, $0x%04x\n", 4*i, 1<<i)
	}
	b.WriteString("GLOBL blockBits<>(SB), RODATA|NOPTR, $64\n")
	b.Write(text.Bytes())
	return b.Bytes()
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
