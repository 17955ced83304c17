package cpu

import (
	"unsafe"

	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/ir"
)

//go:generate go run -C _asm . -dir ..

// args are the arguments of a kernel. The assembly, and cpu/_asm, know this layout.
type args struct {
	ptr    [4]unsafe.Pointer // operands in the order of the form: results, then inputs
	n      int               // elements
	params [4]float32        // of the activation: the slope
}

// A kernel computes one form of one activation, or one operation of programs. It accesses
// nothing outside of the operands; a result may replace an input. A mask has one word for 64
// elements: a kernel writes all bits of the last word, 0 behind the last element.
//
// Kernels are called through variables, so that their args escape: they must be on the heap
// already where a call may not allocate.
type kernel func(a *args)

// kernels are those of one activation, by form.
type kernels [form.Count + 1]kernel

// An instructionSet has the kernels for one set of instructions, by compute.Kind. Kind 0
// has the forms without an activation.
type instructionSet struct {
	name  string
	plain []kernels
	// nonTemporal kernels compute whole blocks of blockSize elements, into results that are
	// aligned to 64 bytes. Nil if the instruction set has no such stores.
	nonTemporal []kernels

	// primitives are the operations of programs, on tiles of blocks of blockSize elements. The
	// second index tells which operands are scalars, the first at bit 0: operand i is at
	// ptr[1+i], or it is params[i], a float32 or the bits of a uint32. The result is at ptr[0]
	// and may replace any operand. The elements of a tile of bools are uint32, all ones or 0.
	// RandBits has two operands more, the low and the high word of the index, of which the
	// latter is always a scalar. The functions among them compute any number of elements.
	primitives [ir.SoftsignPrime + 1][8]kernel
	// nonTemporalFunctions are the functions as nonTemporal has activations.
	nonTemporalFunctions [ir.SoftsignPrime + 1]kernel
	// store copies a tile as the nonTemporal kernel of Copy does, but another goroutine may see it
	// after later stores, until that kernel has run on any number of elements. Nil without
	// nonTemporal.
	store kernel
	// fill sets a tile to params[0]; expand makes a tile of bools of a mask, and compress a
	// mask of a tile of bools; prefetch and prefetchWrite bring a tile into the cache.
	fill, expand, compress, prefetch, prefetchWrite kernel

	patches patches
	folds   [3]fold // by compute.Reduction, without Mean
}

// blockSize is the number of elements of a block. Its bits are a word of a mask.
const blockSize = 64

// instructionSets returns those that this processor has, best first. The last is generic.
func instructionSets() []instructionSet { return append(accelerated(), generic) }

// floats returns operand i.
func (a *args) floats(i int) []float32 { return unsafe.Slice((*float32)(a.ptr[i]), a.n) }

// uints returns operand i, whose elements are uint32, or bools: all ones, or 0.
func (a *args) uints(i int) []uint32 { return unsafe.Slice((*uint32)(a.ptr[i]), a.n) }

// words returns operand i, a mask.
func (a *args) words(i int) []uint64 { return unsafe.Slice((*uint64)(a.ptr[i]), form.MaskWords(a.n)) }

// setParams sets the parameters to those with the bits.
func (a *args) setParams(bits []uint32) {
	copy((*[len(a.params)]uint32)(unsafe.Pointer(&a.params))[:], bits) // as float32 they might change
}

// forget clears the operands, to keep nobody's memory.
func (a *args) forget() { a.ptr = [4]unsafe.Pointer{} }

func copyElements(a *args) { copy(a.floats(0), a.floats(1)) }

// lane returns all ones if c, and 0 otherwise.
func lane(c bool) uint32 {
	var bit uint32
	if c {
		bit = 1
	}
	return -bit
}

// bit returns 1 if c, and 0 otherwise.
func bit(c bool) uint64 {
	var bit uint64
	if c {
		bit = 1
	}
	return bit
}
