package exhaustive

import (
	"fmt"
	"math"
	"runtime"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/values"
)

// TestReference: the expected results are right, on every input or on a sample. A product
// is computed in float64, which is exact, and rounded once. If the bits of x are from those
// of 0 to those of Inf, or those of -0, the results of LeakyReLU are x, 1 and dy.
func TestReference(t *testing.T) {
	every := step(1)
	cores := runtime.GOMAXPROCS(0)
	err := parallel(func(core int) error {
		x, dy, e := make([]float32, block), make([]float32, block), newExpected(block)
		specials(x, dy, 0)
		err := e.test(dy, x)
		for first := uint64(core * block); first < 1<<32/every && err == nil; first += uint64(cores * block) {
			inputs(x, dy, first, every)
			err = e.test(dy, x)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("the reference is right: %d inputs, %v", 1<<32/every, functions())
}

// test returns an error if e is wrong for one of the functions.
func (e *expected) test(dy, x []float32) error {
	for _, f := range functions() {
		e.set(f, dy, x)
		if err := e.check(f, dy, x); err != nil {
			return err
		}
	}
	return nil
}

// check returns an error that names the first wrong element of e.
func (e *expected) check(f compute.Activation, dy, x []float32) error {
	show := values.Show
	for i, v := range x {
		y, d, dx, bit := right(f, dy[i], v)
		if !values.Same(e.y[i], y) || !values.Same(e.d[i], d) || !values.Same(e.dx[i], dx) {
			return fmt.Errorf("for %v, x = %s and dy = %s the reference is %s, %s, %s and should be %s, %s, %s",
				f, show(v), show(dy[i]), show(e.y[i]), show(e.d[i]), show(e.dx[i]), show(y), show(d), show(dx))
		}
		if e.signs[i/64]>>(i%64)&1 != bit {
			return fmt.Errorf("the bit of %v for x = %s is not %d", f, show(v), bit)
		}
	}
	return nil
}

// right returns the right results.
func right(f compute.Activation, dy, x float32) (y, d, dx float32, bit uint64) {
	bits := math.Float32bits(x)
	positive, isNaN := bits-1 < 0x7f800000, bits<<1 > 0xff000000 // as integers
	switch f.Kind {
	case compute.KindReLU:
		if positive {
			return x, 1, dy, 1
		}
		return 0, 0, 0, 0
	case compute.KindReLU6:
		switch {
		case positive && bits < 0x40c00000:
			return x, 1, dy, 1
		case positive:
			return 6, 0, 0, 0
		case isNaN || bits == 0x80000000:
			return x, 0, 0, 0
		}
		return 0, 0, 0, 0
	case compute.KindClip:
		switch low, high := float64(f.Params[0]), float64(f.Params[1]); {
		case low-float64(x) < 0 && float64(x)-high < 0:
			return x, 1, dy, 1
		case low-float64(x) > 0:
			return float32(low), 0, 0, 0
		case float64(x)-high > 0:
			return float32(high), 0, 0, 0
		}
		return x, 0, 0, 0
	}
	slope := f.Params[0]
	if bits <= 0x7f800000 || bits == 0x80000000 {
		return x, 1, dy, 1
	}
	return float32(float64(slope) * float64(x)), slope, float32(float64(slope) * float64(dy)), 0
}

// TestInputs: the inputs are all floats, in order; a sample has one of every 4096
// neighbours.
func TestInputs(t *testing.T) {
	x, dy := make([]float32, block), make([]float32, block)
	seen := make([]uint64, 1<<32/sample/64) // a bit for each group of neighbours
	for first := uint64(0); first < 1<<32/sample; first += block {
		inputs(x, dy, first, sample)
		for _, v := range x {
			group := math.Float32bits(v) / sample
			seen[group/64] |= 1 << (group % 64)
		}
	}
	for i, word := range seen {
		if word != math.MaxUint64 {
			t.Fatalf("the sample has only the groups %#x of the 64 from %d on", word, 64*i)
		}
	}
	for _, first := range []uint64{0, 1<<31 - block/2, 1<<32 - block} {
		inputs(x, dy, first, 1)
		for i, v := range x {
			if bits := uint64(math.Float32bits(v)); bits != first+uint64(i) {
				t.Fatalf("input %d is %#x", first+uint64(i), bits)
			}
		}
	}
}
