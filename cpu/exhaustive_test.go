//go:build !race

package cpu

import (
	"math"
	"testing"

	"github.com/gmind-go/compute"
)

// TestEverySign: every bit of the mask is right for all 2^32 inputs, and so is the
// gradient that comes of it. With the race detector it would take minutes.
func TestEverySign(t *testing.T) {
	const n = 16 << 20
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	x, err := b.Alloc(n)
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.AllocMask(n)
	if err != nil {
		t.Fatal(err)
	}
	f := compute.LeakyReLU(0.01)
	xs := x.(*buffer).data // written in place: nothing else is at work
	words := make([]uint64, n/64)
	for base := uint64(0); base < 1<<32; base += n {
		for i := range xs {
			xs[i] = math.Float32frombits(uint32(base) + uint32(i))
		}
		if err := b.ForwardMask(f, x, m, x); err != nil {
			t.Fatal(err)
		}
		if err := m.Read(words); err != nil {
			t.Fatal(err)
		}
		for i, word := range words {
			if want := signs(uint32(base) + uint32(64*i)); word != want {
				t.Fatalf("from the bits %#x on, the mask is %#x and should be %#x", base+uint64(64*i), word, want)
			}
		}
	}
}

// signs returns the word of a mask for the 64 floats whose bits are from bits on: of
// 0 to +Inf, and -0.
func signs(bits uint32) (word uint64) {
	const infinity, minusZero = 0x7f800000, 0x80000000
	switch {
	case bits+63 <= infinity:
		return math.MaxUint64
	case bits == minusZero:
		return 1
	case bits == infinity:
		return 1
	}
	return 0
}
