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

	// compute returns the value of a node in a vector, or nil if it cannot compute it.
	compute(b *body, v ir.Value) reg.VecVirtual
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
