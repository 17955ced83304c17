package main

import (
	"math"
	"testing"
)

// TestInputs: the values are what their name says, and of both signs where it does
// not say otherwise.
func TestInputs(t *testing.T) {
	for name, generate := range inputs {
		negative, subnormal, zero := 0, 0, 0
		v := generate(10000, 1)
		for _, x := range v {
			if math.Signbit(float64(x)) {
				negative++
			}
			if x != 0 && math.Abs(float64(x)) < 0x1p-126 {
				subnormal++
			}
			if x == 0 {
				zero++
			}
		}
		want := map[string]int{"positive": 0, "negative": 10000}
		if n, ok := want[name]; ok && negative != n || !ok && (negative < 4000 || negative > 6000) {
			t.Errorf("%s: %d of 10000 are negative", name, negative)
		}
		if (name == "subnormal") != (subnormal == 10000) || zero > 0 {
			t.Errorf("%s: %d of 10000 are subnormal, %d are 0", name, subnormal, zero)
		}
	}
}
