package cpu

import (
	"github.com/gmind-go/compute/internal/ir"
	program "github.com/gmind-go/compute/internal/kernel"
)

// A plan computes any kernel of a program, tile by tile: each step computes one node of the
// program for all elements of a tile, into a slot that stays in the L1 cache, before the next
// one begins.
//
// A step calls a primitive of the instruction set. One that calls machine code made at run time,
// for many nodes in one loop, would be one more kind: it needs more places than args has, and
// nothing else would change.
type plan struct {
	results  int
	operands []program.Address // results, then inputs
	writes   []int             // by result: the step that writes it
	reads    []int             // by input: the last step that reads it, or -1
	code     []step            // for each tile
	once     []step            // for each call and goroutine: what has one value for all tiles
	params   []ir.Type
	values   []uint32 // of scalars: see valueLow; a call sets the parameters
	slots    int      // places after those of the operands and numbers
	spare    place    // a slot that RandBits may use; 0 without one
	tile     int      // elements
	indexed  bool     // whether there is a RandBits
	repeats  bool     // whether there is a Row or Col
	ahead    [][]span // by step: what it fetches of the next tile
	set      *instructionSet
}

// A step calls a kernel. Each of its operands is a tile or a scalar; those that it does not use
// are the place 0 and the value 0.
type step struct {
	run    kernel
	at     [4]place  // by pointer of the kernel: the result, then the operands
	scalar [4]uint16 // by parameter of the kernel: which of the values
	random bool      // RandBits, which depends on the high word of the index
}

// A place is where a tile is: an operand of the call, then numbers, then the slots.
type place uint16

// The first values of a plan.
const (
	valueZero  = iota // 0
	valueLow          // the low word of the index of the first element of the tile
	valueHigh         // the high word
	valueParam        // the parameters, and then the constants; a bool is all ones or zero
)

// A span is a part of a tile of an operand.
type span struct {
	operand place
	from, n int // elements
}

// Tiles have longTile elements if the slots then take at most slotBytes, which with the tiles
// of operands is less than an L1 cache, and otherwise shortTile. Those of a plan without slots
// end with the chunk.
const (
	longTile  = 1024
	shortTile = 512
	slotBytes = 24 << 10
	allInOne  = 1 << 30
)

// stride returns the elements from one slot to the next. Slots that lie 4 KiB apart would share
// lines of the L1 cache.
func (p *plan) stride() int { return p.tile + 16 }

// numbers is the place of the elements 0, 1, 2 and so on, as uint32.
func (p *plan) numbers() place { return place(len(p.operands)) }

// firstSlot is the place of the first slot.
func (p *plan) firstSlot() place { return p.numbers() + 1 }
