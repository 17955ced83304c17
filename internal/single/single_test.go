package single

import (
	"math"
	"math/rand/v2"
	"testing"
)

var (
	inf = float32(math.Inf(1))
	nan = float32(math.NaN())
)

// TestFMA compares with math.FMA where rounding its result again cannot matter, because it is
// exact in float64; package ir has a test with exact arithmetic for all others.
func TestFMA(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100000 {
		x, y := float32(r.NormFloat64()), float32(r.NormFloat64())
		z := -float32(x * y) // the sum is the rounding error of the product, which is a float32
		if got, want := FMA(x, y, z), float32(math.FMA(float64(x), float64(y), float64(z))); got != want {
			t.Fatalf("FMA(%x, %x, %x) = %x, want %x", x, y, z, got, want)
		}
	}
	for _, known := range [][4]float32{{0x1.000002p0, 0x1.000002p0, 0x1p-60, 0x1.000004p0}, {-inf, 2, 1, -inf}, {inf, 0, 1, nan}, {inf, 2, -inf, nan}} {
		if got := FMA(known[0], known[1], known[2]); Bits(got) != Bits(known[3]) {
			t.Errorf("FMA(%x, %x, %x) = %x, want %x", known[0], known[1], known[2], got, known[3])
		}
	}
}

func TestUint32(t *testing.T) {
	for x, want := range map[float32]uint32{
		-inf: 0, -1: 0, -0.5: 0, 0: 0, 0.99: 0, 1: 1, 2.75: 2, 1 << 24: 1 << 24, 1 << 31: 1 << 31,
		0x1.fffffep31: 0xffffff00, 1 << 32: math.MaxUint32, 1e30: math.MaxUint32, inf: math.MaxUint32,
	} {
		if got := Uint32(x); got != want {
			t.Errorf("Uint32(%v) = %d, want %d", x, got, want)
		}
	}
	for _, bits := range []uint32{0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff} {
		if got := Uint32(math.Float32frombits(bits)); got != 0 {
			t.Errorf("Uint32 of the NaN %#x is %d, want 0", bits, got)
		}
	}
}

func TestBits(t *testing.T) {
	for _, bits := range []uint32{0, 1 << 31, 1, 0x3f800000, 0x7f800000, 0xff800000} {
		if got := Bits(math.Float32frombits(bits)); got != bits {
			t.Errorf("Bits of %#x is %#x", bits, got)
		}
	}
	for _, bits := range []uint32{0x7fc00000, 0xffc00000, 0x7f800001, 0xffffffff} {
		if got := Bits(math.Float32frombits(bits)); got != 0x7fc00000 {
			t.Errorf("Bits of the NaN %#x is %#x, want 0x7fc00000", bits, got)
		}
	}
}
