package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// neonFunction returns the function of s. It computes as many vectors at a time as the
// registers allow, and keeps as many constants in registers as are left. Two vectors of float64
// take four registers, whose operations in turn hide each other's latency.
func neonFunction(s spec) (text string, err error) {
	if !s.blocks && slices.Contains(s.results, kernel.Bit) && slices.Contains(s.inputs, kernel.Bit) {
		return "", errors.New("the last word of a resulting mask is cleared, and may be that of the input")
	}
	sizes := []int{4, 2, 1}
	if s.wide() {
		sizes = []int{2, 1}
		s.body = scheduled(s.body)
	}
	for _, vectors := range sizes {
		for _, constants := range s.choices() {
			f := &neonFunc{spec: s, vectors: vectors, constants: constants}
			if text, err = f.function(); err == nil || f.masked() {
				return text, err
			}
		}
	}
	return "", err
}

// A neonFunc is a function that is being written. R0 to R3 point to the operands, R4 is the
// number of elements left, R6 points to the args at first, and R8 to R11 have the bits of
// masks while single elements are computed; R7 is the bit of the element then. R12 points to
// the constants that are not in registers.
type neonFunc struct {
	spec
	vectors   int            // that a block has
	constants map[hoist]bool // those in registers; nil for all
	loops     strings.Builder
	err       error

	hoisted map[hoist]int // the registers that are set before the loops
	order   []hoist
	memory  []hoist  // the constants in memory
	touched [32]bool // the registers that loops have used for something else

	// While a loop is written:
	count int           // vectors
	lanes int           // of a vector: 4, or 1 for an element
	busy  [32]bool      // the registers in use
	at    [][]int       // by node and vector: the register; float64 have two vectors for one of float32
	temps map[hoist]int // the registers with constants from memory, of the node
	last  []int         // by node: the last node that needs it; done for results
	fused []bool        // by node: it is part of a later one
}

// masked reports whether an operand is a mask. A block is 16 bits of it, and elements follow.
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
	f.data()
	fmt.Fprintf(&f.loops, "\n// func %[1]sNEON(a *args)\nTEXT ·%[1]sNEON(SB), NOSPLIT, $0-8\n", f.name)
	f.printf("MOVD a+0(FP), R6")
	f.printf("MOVD args_n(R6), R4")
	for i := range f.results {
		f.printf("MOVD (args_ptr+%d)(R6), R%d", 8*i, i)
	}
	for _, i := range f.ptr {
		f.printf("MOVD (args_ptr+%d)(R6), R%d", 8*i, i)
	}
	isBits := func(h hoist) bool { return h.what == "blockBits" }
	blockBits := slices.DeleteFunc(slices.Clone(f.order), func(h hoist) bool { return !isBits(h) })
	for _, h := range append(slices.DeleteFunc(f.order, isBits), blockBits...) { // which need R5 as a pointer
		r := f.hoisted[h]
		switch {
		case h.what == "blockBits":
			if h.bits == 0 {
				f.printf("MOVD $blockBits<>(SB), R5")
			}
			f.printf("FMOVQ.P 16(R5), F%d", r)
		case h.what == "const" && h.bits == 0:
			f.printf("VEOR V%[1]d.B16, V%[1]d.B16, V%[1]d.B16", r)
		case h.what == "const":
			f.printf("MOVD $%#x, R5", h.bits)
			f.printf("VDUP R5, V%d.S4", r)
		case h.what == "double":
			f.printf("MOVD $%#x, R5", h.bits)
			f.printf("VDUP R5, V%d.D2", r)
		default:
			f.printf("MOVWU (args_params+%d)(R6), R5", 4*h.bits)
			f.printf("VDUP R5, V%d.S4", r)
			if h.what == "minus" {
				f.printf("VNEG(%d, %d)", r, r)
			}
		}
	}
	if len(f.memory) > 0 {
		f.printf("MOVD $%sConstants<>(SB), R12", f.name)
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
	f.at, f.temps = make([][]int, len(f.body.Nodes)), map[hoist]int{}
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
