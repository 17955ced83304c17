package cpu

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gmind-go/compute/internal/single"
	"github.com/gmind-go/compute/internal/values"
)

// TestFMA compares fma with single.FMA where rounding twice is wrong, normal and subnormal, and
// on special values.
func TestFMA(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	try := func(x, y, z float32) {
		if got, want := fma(x, y, z), single.FMA(x, y, z); !values.Same(got, want) {
			t.Fatalf("fma(%s, %s, %s) is %s and should be %s", values.Show(x), values.Show(y), values.Show(z), values.Show(got), values.Show(want))
		}
	}
	twice := 0 // rounding twice was wrong
	for range sampled(200000) {
		// A product with few bits is often halfway between two float32, and z little beside it.
		x := float32(math.Ldexp(float64(1+r.IntN(1<<13)), -r.IntN(80)))
		y := float32(math.Ldexp(float64(1+r.IntN(1<<12)), -r.IntN(80)))
		z := float32(math.Ldexp(1+r.Float64(), -60-r.IntN(89)))
		if r.IntN(2) == 0 {
			z = -z
		}
		try(x, y, z)
		if float32(float64(x)*float64(y)+float64(z)) != single.FMA(x, y, z) {
			twice++
		}
	}
	for range sampled(1000) {
		// Almost half the least subnormal, beside a subnormal.
		little := math.Ldexp(1, -16-r.IntN(7))
		x, y := float32(math.Ldexp(1+little, -75)), float32(math.Ldexp(1-little, -75))
		try(x, y, math.Float32frombits(r.Uint32()>>9|r.Uint32()<<31))
	}
	if twice == 0 {
		t.Error("rounding twice is never wrong: the inputs are too easy")
	}
	special := values.Special()
	for _, x := range special {
		for _, y := range special {
			for _, z := range special {
				try(x, y, z)
			}
		}
	}
}
