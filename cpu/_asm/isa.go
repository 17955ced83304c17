package main

import (
	"github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"

	"github.com/gmind-go/compute/internal/ir"
)

// An isa is an instruction set: its vectors, and what instructions of its own compute.
type isa interface {
	name() string // in Go
	width() int   // elements in a vector
	vector(f *routine) reg.VecVirtual
	looksUp() bool // whether it has ir.Lookup

	// compute returns the value of a node in a vector, or nil if it cannot compute it.
	compute(b *body, v ir.Value) reg.VecVirtual
	// widen converts float32 to float64, and narrow converts back.
	widen(b *body, x ir.Value) wide
	narrow(b *body, x wide, dst reg.VecVirtual)
	// whereWide returns where(c, x, y) of 64-bit elements.
	whereWide(b *body, c, x, y ir.Value) wide
	// instruction returns the name of an instruction, given that which AVX2 has. One operand
	// may be a constant in memory.
	instruction(name string, memory bool) string

	// pack computes a bool, and returns what stores a bit for each element.
	pack(b *body, v ir.Value, m operand.Mem) (store func())

	// lanes returns the first n elements of a vector, in a form for what follows.
	lanes(f *routine, n reg.GPVirtual) reg.Register
	// loadElements sets v to the elements in lanes, or to all if that is nil, and the others
	// to 0. storeElements stores only those in lanes.
	loadElements(f *routine, m operand.Mem, lanes reg.Register, v reg.VecVirtual)
	storeElements(f *routine, v reg.VecVirtual, lanes reg.Register, m operand.Mem)
}

var sets = []isa{avx512{}, avx2{}}
