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

// generate makes as many values as all sets of the size with the most have. Sizes for
// which there is not the memory are an error, or if nobody asked for them taken out of
// c; tooLarge tells why.
func (in *input) generate(c *config) (tooLarge, err error) {
	b, err := cpu.Open()
	if err != nil {
		return nil, err
	}
	defer b.Close()
	for {
		total := 0
		for _, n := range c.sizes {
			total = max(total, n*setCount(n))
		}
		err := in.fits(b, total)
		if err == nil {
			in.make(c.input, total)
			return tooLarge, nil
		}
		if c.sizesAsked || len(c.sizes) == 1 {
			return nil, err
		}
		tooLarge = err
		c.sizes = c.sizes[:len(c.sizes)-1]
	}
}

// fits asks whether there is memory for so many elements: Go's heap ends the process
// where it does not suffice. There are three slices here, and as much more for five
// buffers of a device that shares the memory.
func (in *input) fits(b compute.Backend, total int) error {
	if total > math.MaxInt/8 {
		return fmt.Errorf("-n: %d elements: %w", total, compute.ErrOutOfMemory)
	}
	buf, err := b.Alloc(8 * total)
	if err != nil {
		return fmt.Errorf("-n: operands and results of %d elements each: %w", total, err)
	}
	return buf.Release()
}

// make makes the values, total of each operand.
func (in *input) make(name string, total int) {
	in.dst = make([]float32, total)
	if in.npy == nil {
		in.x, in.dy = inputs[name](total, 1), inputs[name](total, 2)
		return
	}
	// The gradient of backward is the same values in reverse order.
	reversed := slices.Clone(in.npy.values)
	slices.Reverse(reversed)
	times := total / len(reversed)
	in.x, in.dy = slices.Repeat(in.npy.values, times), slices.Repeat(reversed, times)
}
