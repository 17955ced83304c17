package cpu

import (
	"fmt"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/internal/values"
)

// TestConformance runs the suite on every row that this processor has.
func TestConformance(t *testing.T) {
	for _, r := range rows() {
		t.Run(r.name, func(t *testing.T) {
			backendtest.Run(t, func() (compute.Backend, error) { return open(r), nil })
		})
	}
}

// TestSplit: the ranges make up the whole, each element once, and all but the
// last end at a cache line.
func TestSplit(t *testing.T) {
	for _, n := range []int{2 * minShare, 2*minShare + 1, 3*minShare - 1, 1 << 20, 1<<20 + 17} {
		hits := make([]uint8, n)
		split(n, func(lo, hi int) {
			if hi != n && hi%16 != 0 {
				t.Errorf("of %d elements, a range ends at %d", n, hi)
			}
			for i := lo; i < hi; i++ {
				hits[i]++
			}
		})
		for i, h := range hits {
			if h != 1 {
				t.Fatalf("of %d elements, element %d is in %d ranges", n, i, h)
			}
		}
	}
}

// TestAllocate: memory is zero and writable to its ends, on both sides of the
// size from which it is mapped.
func TestAllocate(t *testing.T) {
	for _, n := range []int{0, 1, mapSize/4 - 1, mapSize / 4, mapSize/4 + 1, 1 << 20} {
		data, err := allocate(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) != n {
			t.Fatalf("allocate(%d) returned %d elements", n, len(data))
		}
		for i := range data {
			if data[i] != 0 {
				t.Fatalf("allocate(%d): element %d is %v", n, i, data[i])
			}
			data[i] = 1
		}
		free(data)
	}
}

// BenchmarkShare times one kernel on one core and on two shares: the crossing
// is what minShare should be.
func BenchmarkShare(b *testing.B) {
	k := rows()[0].kernels[compute.KindLeakyReLU].unary[compute.OpForward]
	for n := 32 << 10; n <= 2<<20; n *= 2 {
		x, y := values.Normal(n, 1), make([]float32, n)
		b.Run(fmt.Sprintf("one/%d", n), func(b *testing.B) {
			b.SetBytes(8 * int64(n))
			for b.Loop() {
				k(y, x, 0.01)
			}
		})
		b.Run(fmt.Sprintf("split/%d", n), func(b *testing.B) {
			b.SetBytes(8 * int64(n))
			for b.Loop() {
				runShares(n, 2, func(lo, hi int) { k(y[lo:hi], x[lo:hi], 0.01) })
			}
		})
	}
}

// BenchmarkForward times calls through the Backend interface.
func BenchmarkForward(b *testing.B) {
	backend, err := Open()
	if err != nil {
		b.Fatal(err)
	}
	defer backend.Close()
	for _, n := range []int{16, 1 << 10, 64 << 10, 1 << 20, 16 << 20} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			x, err := backend.Upload(values.Normal(n, 1))
			if err != nil {
				b.Fatal(err)
			}
			y, err := backend.Upload(values.Normal(n, 2))
			if err != nil {
				b.Fatal(err)
			}
			defer x.Release()
			defer y.Release()
			b.SetBytes(8 * int64(n))
			b.ReportAllocs()
			for b.Loop() {
				if err := backend.Forward(compute.LeakyReLU(0.01), y, x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
