// Package golden has what the functions of programs are to return for all 2^32 inputs, as
// hashes, and the inputs that are the hardest to round with their results. They are made with
// MPFR, by the program in mpfr, so they are independent of the rest of the library; make golden
// remakes them.
package golden

import (
	"embed"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gmind-go/compute/internal/ir"
)

// The inputs of block b, of Blocks, are the float32 with the bits from b*BlockSize on, in
// order. The block Sample has one of every 4096 float32, at a place that varies, so it has
// inputs from all other blocks.
const (
	Blocks    = 4096
	BlockSize = 1 << 20
	Sample    = Blocks
)

// NAME.hash has the hash of each block and of Sample, and NAME.near the bits of each x and y of
// Near. All are little-endian.
//
//go:embed testdata
var files embed.FS

// Functions returns the operations that are correctly rounded functions.
func Functions() []ir.Op {
	var list []ir.Op
	for _, op := range ir.Ops() {
		if op.Info().Function {
			list = append(list, op)
		}
	}
	return list
}

// Inputs sets x to the inputs of block b, or to the first of them.
func Inputs(b int, x []float32) {
	for i := range x {
		n := uint32(i)
		bits := uint32(b)*BlockSize + n
		if b == Sample {
			bits = n<<12 | n*0x9e3779b9>>20
		}
		x[i] = math.Float32frombits(bits)
	}
}

// Block returns the hash of the results of the function for block b.
func Block(op ir.Op, b int) uint64 {
	return binary.LittleEndian.Uint64(read(op, "hash", 8*(Blocks+1))[8*b:])
}

// Near returns inputs, and the results, whose real value is within 2^-44 of the middle
// between two float32, relative to the value, or in that middle. Next to the root of a
// derivative, where terms cancel to less than a 16th of their sizes, it is within 2^-48 of
// these. Of blocks with more than 32 such inputs only the 32 nearest are there.
func Near(op ir.Op) (x, y []float32) {
	data := read(op, "near", 0)
	for ; len(data) >= 8; data = data[8:] {
		x = append(x, math.Float32frombits(binary.LittleEndian.Uint32(data)))
		y = append(y, math.Float32frombits(binary.LittleEndian.Uint32(data[4:])))
	}
	return x, y
}

// Rounded returns the function of package rounded, the other reference.
func Rounded(op ir.Op) func(x float32) float32 {
	var b ir.Builder
	b.Result("y", b.Op(op, b.Arg("x", ir.F32)))
	p := b.Program("f")
	nodes := make([]uint64, len(p.Nodes))
	return func(x float32) float32 {
		p.Eval(nodes, 0, []uint64{uint64(math.Float32bits(x))})
		return math.Float32frombits(uint32(nodes[p.Results[0].Value]))
	}
}

// read returns a file of the function, with at least size bytes.
func read(op ir.Op, suffix string, size int) []byte {
	data, err := files.ReadFile("testdata/" + op.Info().Name + "." + suffix)
	if err == nil && (len(data) < size || len(data)%8 != 0) {
		err = fmt.Errorf("%d bytes", len(data))
	}
	if err != nil {
		panic(fmt.Sprintf("golden: the %s file of %s: %v; make golden remakes it", suffix, op.Info().Name, err))
	}
	return data
}

// lanes is the number of independent hashes, so that their multiplications overlap.
const lanes = 8

// Hash returns the hash of results, of which those that are NaN count as 0x7fc00000. Lane l
// takes the results l, l+8, l+16 and so on. Each step is a permutation of the hash, so one
// wrong result always changes it.
func Hash(results []float32) uint64 {
	var h [lanes]uint64
	for ; len(results) >= lanes; results = results[lanes:] {
		r := results[:lanes:lanes]
		h[0] = mix(h[0], bits(r[0]))
		h[1] = mix(h[1], bits(r[1]))
		h[2] = mix(h[2], bits(r[2]))
		h[3] = mix(h[3], bits(r[3]))
		h[4] = mix(h[4], bits(r[4]))
		h[5] = mix(h[5], bits(r[5]))
		h[6] = mix(h[6], bits(r[6]))
		h[7] = mix(h[7], bits(r[7]))
	}
	for i, y := range results {
		h[i] = mix(h[i], bits(y))
	}
	hash := uint64(0)
	for _, lane := range h {
		hash = mix(hash, lane)
		hash ^= hash >> 32
	}
	return hash
}

// mix is a permutation of h, and of value: the factor, 2^64 by the golden ratio, is odd.
func mix(h, value uint64) uint64 { return (h ^ value) * 0x9e3779b97f4a7c15 }

func bits(y float32) uint64 {
	if y != y {
		return 0x7fc00000
	}
	return uint64(math.Float32bits(y))
}
