package exhaustive

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// Huge returns a length that 31 bits do not count, and that is no multiple of any
// vector. It skips the test where the 8 GiB of that many elements are not to be had.
func Huge(t *testing.T) int {
	t.Helper()
	if !testenv.Exhaustive() {
		t.Skip("takes 10 GiB of memory; make exhaustive runs it")
	}
	if strconv.IntSize < 64 {
		t.Skip("NOT tested: no slice is that long on 32 bits")
	}
	if have := testenv.Available(); have < 10<<30 {
		t.Skipf("NOT tested: needs 10 GiB of memory, and %d MiB are free", have>>20)
	}
	length := int64(1<<31 + 77)
	return int(length)
}

// Fill sets every element of x to one that its index gives and no other: all bits,
// of both signs.
func Fill(x []float32) {
	_ = parts(len(x), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			x[i] = filled(i)
		}
		return nil
	})
}

func filled(i int) float32 { return math.Float32frombits(scatter(uint32(i))) }

// Check fails the test unless got is what want makes of all that Fill sets.
func Check(t *testing.T, what string, got []float32, want func(x float32) float32) {
	t.Helper()
	if err := parts(len(got), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			if w := want(filled(i)); !values.Same(got[i], w) {
				return fmt.Errorf("%s: element %d of %d is %s and should be %s", what, i, len(got), show(got[i]), show(w))
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("all equal: %s of %d elements", what, len(got))
}

// CheckSigns fails the test unless words is the mask of n elements that Fill sets.
func CheckSigns(t *testing.T, words []uint64, n int) {
	t.Helper()
	if err := parts(len(words), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			var want uint64
			for bit := range min(64, n-64*i) {
				want |= form.Bit(filled(64*i+bit)) << bit
			}
			if words[i] != want {
				return fmt.Errorf("word %d of the mask of %d elements is %#x and should be %#x", i, n, words[i], want)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("all equal: the mask of %d elements", n)
}

// parts runs do for all of n elements, a part at a time, on all cores.
func parts(n int, do func(lo, hi int) error) error {
	const part = 1 << 20
	var next atomic.Int64
	errs := make([]error, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for w := range errs {
		wg.Go(func() {
			for errs[w] == nil {
				lo := int(next.Add(part)) - part
				if lo >= n {
					return
				}
				errs[w] = do(lo, min(lo+part, n))
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}
