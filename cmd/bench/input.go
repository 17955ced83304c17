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

// input has the values of the operands. A set of n elements has n consecutive values of each
// slice.
type input struct {
	x, dy []float32
	dst   []float32 // for results
	npy   *npyFile  // nil if the values are generated
}

// load reads the file of -input, if it names one, and sets the size to measure.
func (c *config) load() (*input, error) {
	in := &input{}
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
			err = c.mapped(total)
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

// need is the number of bytes in use for each element of the operands, on a device that
// shares the host's memory: three slices, three buffers, and two more for the file of
// -output, the driver and the garbage of Go's heap. Devices are measured one after the other,
// and the buffers of a Shard are those of its members.
const need = 4 * (3 + 3 + 2)

// fits returns an error that wraps compute.ErrOutOfMemory if total elements exceed the
// available memory. It is checked in advance, because a process that runs out of memory, or
// reaches the limit of its container, is ended.
func (c *config) fits(total int) error {
	available := c.available()
	if int64(total) <= available/need {
		return nil
	}
	return fmt.Errorf("operands and results take %.1f GB, and %.1f GB of memory can be used: %w",
		float64(total)*need/1e9, float64(available)/1e9, compute.ErrOutOfMemory)
}

// mapped allocates and releases the memory for total elements. The system may refuse it for
// other reasons, such as ulimit -v.
func mapped(total int) error {
	if total > math.MaxInt/need {
		return fmt.Errorf("more than an address holds: %w", compute.ErrOutOfMemory)
	}
	b, err := cpu.Open()
	if err != nil {
		return err
	}
	defer b.Close()
	buf, err := b.Alloc(need / 4 * total)
	if err != nil {
		return err
	}
	return buf.Release()
}

// make makes total values of each operand, until ctx ends.
func (in *input) make(ctx context.Context, name string, total int) {
	if ctx.Err() != nil {
		return
	}
	in.dst = make([]float32, total)
	if in.npy == nil {
		in.x = inputs[name](total, 1)
		if ctx.Err() == nil {
			in.dy = inputs[name](total, 2)
		}
		return
	}
	// The gradient of backward is the same values in reverse order.
	reversed := slices.Clone(in.npy.values)
	slices.Reverse(reversed)
	times := total / len(reversed)
	if times == 1 {
		in.x, in.dy = in.npy.values, reversed
		return
	}
	in.x, in.dy = slices.Repeat(in.npy.values, times), slices.Repeat(reversed, times)
}
