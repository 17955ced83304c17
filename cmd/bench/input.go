package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/values"
)

// inputs are the distributions that -input knows.
var inputs = map[string]func(n int, seed uint64) []float32{
	"normal":    values.Normal,
	"uniform":   values.Uniform, // in [-1, 1)
	"bits":      values.Bits,
	"positive":  changed(values.Normal, func(bits uint32) uint32 { return bits &^ sign }),
	"negative":  changed(values.Normal, func(bits uint32) uint32 { return bits | sign }),
	"subnormal": changed(values.Bits, func(bits uint32) uint32 { return bits&(sign|mantissa) | 1 }), // none is 0
}

const (
	sign     = 1 << 31
	mantissa = 1<<23 - 1
)

// changed returns the values of from, each with its bits changed.
func changed(from func(int, uint64) []float32, change func(bits uint32) uint32) func(int, uint64) []float32 {
	return func(n int, seed uint64) []float32 {
		v := from(n, seed)
		for i := range v {
			v[i] = math.Float32frombits(change(math.Float32bits(v[i])))
		}
		return v
	}
}

// input is what the operations are measured on: for one set of operands of n elements
// after the other, n values of each slice.
type input struct {
	x, dy []float32
	dst   []float32 // room for results
	npy   *npyFile  // nil if the values are generated
}

// load reads the file of -input, if it is one, which gives the size to measure.
func (c *config) load() (*input, error) {
	in := &input{}
	if inputs[c.input] != nil {
		return in, nil
	}
	f, err := readNpy(c.input)
	if err != nil {
		return nil, err
	}
	in.npy = f
	c.sizes = []int{len(f.values)}
	return in, nil
}

// generate makes as many values as all sets of the size with the most have.
func (in *input) generate(c config) error {
	total := 0
	for _, n := range c.sizes {
		total = max(total, n*setCount(n))
	}
	// Go's heap ends the process where memory does not suffice, so ask first: for
	// three slices here, two to read results, and three buffers of a device that shares
	// the memory.
	b, err := cpu.Open()
	if err != nil {
		return err
	}
	defer b.Close()
	if total > math.MaxInt/8 {
		return fmt.Errorf("-n: %d elements: %w", total, compute.ErrOutOfMemory)
	}
	if _, err := b.Alloc(8 * total); err != nil {
		return fmt.Errorf("-n: %d elements take 8 times as many here, those of each operand and result: %w", total, err)
	}
	in.dst = make([]float32, total)
	if in.npy == nil {
		in.x, in.dy = inputs[c.input](total, 1), inputs[c.input](total, 2)
		return nil
	}
	// The gradient of backward is the same values in reverse order.
	reversed := slices.Clone(in.npy.values)
	slices.Reverse(reversed)
	times := total / len(reversed)
	in.x, in.dy = slices.Repeat(in.npy.values, times), slices.Repeat(reversed, times)
	return nil
}
