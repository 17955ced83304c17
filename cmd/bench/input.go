package main

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/units"
	"github.com/gmind-go/compute/internal/values"
)

// inputs are the distributions of -input.
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

// changed returns a generator that changes the bits of the values of from.
func changed(from func(int, uint64) []float32, change func(bits uint32) uint32) func(int, uint64) []float32 {
	return func(n int, seed uint64) []float32 {
		v := from(n, seed)
		for i := range v {
			v[i] = math.Float32frombits(change(math.Float32bits(v[i])))
		}
		return v
	}
}

// counts are numbers of operands.
type counts struct {
	args, results         int // buffers
	maskArgs, maskResults int
}

// operations are the operands of an operation: x and dy, and a result.
var operations = counts{args: 2, results: 1}

// most returns the larger of each number.
func (k counts) most(other counts) counts {
	return counts{
		max(k.args, other.args), max(k.results, other.results),
		max(k.maskArgs, other.maskArgs), max(k.maskResults, other.maskResults),
	}
}

// input has the values of the operands. A set of n elements has n consecutive values of each
// slice.
type input struct {
	count         counts
	args, results [][]float32
	npy           *npyFile // nil if the values are generated
}

// len returns the number of values of each operand.
func (in *input) len() int { return len(in.args[0]) }

// load reads the file of -input, if it names one, and sets the size to measure.
func (c *config) load() (*input, error) {
	in := &input{count: c.operands()}
	if inputs[c.input] != nil {
		return in, nil
	}
	// Before the file is read: see need.
	if info, err := os.Stat(c.input); err == nil && info.Mode().IsRegular() {
		if err := c.fits(int(info.Size() / 4)); err != nil {
			return nil, fmt.Errorf("%s: %w", c.input, err)
		}
	}
	f, err := readNpy(c.input)
	if err != nil {
		return nil, err
	}
	in.npy = f
	c.sizes = []int{len(f.values)}
	return in, nil
}

// generate makes the values for all sets of every size, until ctx ends. tooLarge and err are
// those of fit.
func (in *input) generate(ctx context.Context, c *config) (tooLarge, err error) {
	total, tooLarge, err := c.fit()
	if err == nil {
		in.make(ctx, c.input, total)
	}
	return tooLarge, err
}

// fit returns the number of values that each operand needs. Sizes that exceed the available
// memory are an error if they were asked for; otherwise fit removes them from c, and tooLarge
// is the reason.
func (c *config) fit() (total int, tooLarge, err error) {
	for {
		total := 0
		for _, n := range c.sizes {
			total = max(total, n*setCount(n))
		}
		err := c.fits(total)
		if err == nil {
			err = c.mapped(total, c.need())
		}
		if err == nil {
			return total, tooLarge, nil
		}
		err = fmt.Errorf("%s: %w", units.Elements(c.sizes[len(c.sizes)-1]), err)
		switch {
		case inputs[c.input] == nil:
			return 0, nil, fmt.Errorf("%s: %w", c.input, err)
		case c.sizesAsked:
			return 0, nil, fmt.Errorf("-n: %w; measure smaller sizes", err)
		case len(c.sizes) == 1:
			return 0, nil, err
		}
		tooLarge = err
		c.sizes = c.sizes[:len(c.sizes)-1]
	}
}

// need returns the number of bytes in use for each element of the operands, on a device that
// shares the host's memory: a slice and a buffer for each, and two more for the file of
// -output, the driver and the garbage of Go's heap. Devices are measured one after the other,
// and the buffers of a Shard are those of its members.
func (k counts) need() int {
	bits := 2 * (k.maskArgs + k.maskResults)
	return 4*(2*(k.args+k.results)+2) + (bits+7)/8
}

// need returns the number of bytes in use for each element of the operands of all measurements. To
// those of the operands it adds what a step of training has on the device, and its check: three
// operands and as much on the CPU backend, and a slice.
func (c *config) need() int {
	need := c.operands().need()
	if slices.Contains(c.ops, stepOp) {
		need += 4 * (stepBuffers + 3 + stepBuffers + 1)
	}
	return need
}

// fits returns an error that wraps compute.ErrOutOfMemory if total elements exceed the
// available memory. It is checked in advance, because a process that runs out of memory, or
// reaches the limit of its container, is ended.
func (c *config) fits(total int) error {
	available, need := c.available(), int64(c.need())
	if int64(total) <= available/need {
		return nil
	}
	return fmt.Errorf("operands and results take %.1f GB, and %.1f GB of memory can be used: %w",
		float64(total)*float64(need)/1e9, float64(available)/1e9, compute.ErrOutOfMemory)
}

// mapped allocates and releases the memory for total elements of need bytes. The system may
// refuse it for other reasons, such as ulimit -v.
func mapped(total, need int) error {
	if total > math.MaxInt/need {
		return fmt.Errorf("more than an address holds: %w", compute.ErrOutOfMemory)
	}
	b, err := cpu.Open()
	if err != nil {
		return err
	}
	defer b.Close()
	buf, err := b.Alloc(need * total / 4)
	if err != nil {
		return err
	}
	return buf.Release()
}

// make makes total values of each operand, until ctx ends.
func (in *input) make(ctx context.Context, name string, total int) {
	for range in.count.results {
		in.results = append(in.results, make([]float32, total))
	}
	var file [2][]float32 // the values of the file, as often as it takes, and in reverse order
	if in.npy != nil {
		reversed := slices.Clone(in.npy.values)
		slices.Reverse(reversed)
		file = [...][]float32{in.npy.values, reversed}
		if times := total / len(reversed); times > 1 {
			file = [...][]float32{slices.Repeat(file[0], times), slices.Repeat(file[1], times)}
		}
	}
	for i := range in.count.args {
		switch {
		case ctx.Err() != nil:
			return
		case in.npy != nil: // the gradient of backward is the same values in reverse order
			in.args = append(in.args, file[i%2])
		default:
			in.args = append(in.args, inputs[name](total, uint64(1+i)))
		}
	}
}
