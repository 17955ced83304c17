package exhaustive

import (
	"fmt"
	"math"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// Huge returns a length that does not fit in 31 bits and is not a multiple of the length of
// any vector. It skips the test if there is no memory for that many elements, 8 GiB.
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

// Fill sets every element of x to a value of its own, of any bits, which depends on its
// index only.
func Fill(x []float32) {
	_ = parts(len(x), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			x[i] = filled(i)
		}
		return nil
	})
}

func filled(i int) float32 { return math.Float32frombits(scatter(uint32(i))) }

// Check fails the test unless got[i] is want(x[i]) for the x of Fill.
func Check(t *testing.T, what string, got []float32, want func(x float32) float32) {
	t.Helper()
	if err := parts(len(got), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			if w := want(filled(i)); !values.Same(got[i], w) {
				return fmt.Errorf("%s: element %d of %d is %s and should be %s", what, i, len(got), values.Show(got[i]), values.Show(w))
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	t.Logf("all equal: %s of %d elements", what, len(got))
}

// CheckSigns fails the test unless words is the mask that LeakyReLU has for n elements of Fill.
func CheckSigns(t *testing.T, words []uint64, n int) {
	t.Helper()
	if err := parts(len(words), func(lo, hi int) error {
		for i := lo; i < hi; i++ {
			var want uint64
			for bit := range min(64, n-64*i) {
				if filled(64*i+bit) >= 0 {
					want |= 1 << bit
				}
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

// parts calls do for parts of n elements, on all cores, until one returns an error.
func parts(n int, do func(lo, hi int) error) error {
	const part = 1 << 20
	var next atomic.Int64
	return parallel(func(int) error {
		for {
			lo := int(next.Add(part)) - part
			if lo >= n {
				return nil
			}
			if err := do(lo, min(lo+part, n)); err != nil {
				return err
			}
		}
	})
}
