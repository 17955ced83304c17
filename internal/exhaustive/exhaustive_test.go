package exhaustive

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/values"
)

// TestReference: what all is compared with is itself right, on every input, or on a
// sample: a product as float64, which is exact, rounded once; where the bits of x are those of
// 0 to Inf, or of -0, x or dy or 1 itself.
func TestReference(t *testing.T) {
	every := step(1)
	errs := make([]error, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			x, dy, e := make([]float32, block), make([]float32, block), newExpected(block)
			specials(x, dy, 0)
			errs[w] = e.try(dy, x)
			for first := uint64(w * block); first < 1<<32/every && errs[w] == nil; first += uint64(len(errs) * block) {
				inputs(x, dy, first, every)
				errs[w] = e.try(dy, x)
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	t.Logf("the reference itself is right: %d inputs, slopes %v", 1<<32/every, Slopes)
}

// try returns an error if e is not right for one of the slopes.
func (e *expected) try(dy, x []float32) error {
	for _, slope := range Slopes {
		e.set(compute.LeakyReLU(slope), dy, x)
		if err := e.disagrees(slope, dy, x); err != nil {
			return err
		}
	}
	return nil
}

// disagrees returns an error that names the first element of e that is not right.
func (e *expected) disagrees(slope float32, dy, x []float32) error {
	for i, v := range x {
		y, d, dx, atLeastZero := right(slope, dy[i], v)
		if !values.Same(e.y[i], y) || !values.Same(e.d[i], d) || !values.Same(e.dx[i], dx) {
			return fmt.Errorf("for the slope %v, x = %s and dy = %s the reference gives %s, %s, %s, and should give %s, %s, %s",
				slope, show(v), show(dy[i]), show(e.y[i]), show(e.d[i]), show(e.dx[i]), show(y), show(d), show(dx))
		}
		if e.signs[i/64]>>(i%64)&1 != atLeastZero {
			return fmt.Errorf("the reference's bit for x = %s is not %d", show(v), atLeastZero)
		}
	}
	return nil
}

// right returns what each of the results should be.
func right(slope, dy, x float32) (y, d, dx float32, atLeastZero uint64) {
	if bits := math.Float32bits(x); bits <= 0x7f800000 || bits == 0x80000000 {
		return x, 1, dy, 1
	}
	return float32(float64(slope) * float64(x)), slope, float32(float64(slope) * float64(dy)), 0
}

// TestInputs: the inputs are all floats, in order; a sample has one of every
// 4096 neighbours.
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
			t.Fatalf("of the groups from %d on, these are in the sample: %#x", 64*i, word)
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
