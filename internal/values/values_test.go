package values_test

import (
	"math"
	"slices"
	"testing"

	"github.com/gmind-go/compute/internal/values"
)

func TestCompare(t *testing.T) {
	nan, other := math.Float32frombits(0x7fc00000), math.Float32frombits(0xff800001)
	zero, negative := float32(0), float32(math.Copysign(0, -1))
	for _, test := range []struct {
		a, b            float32
		same, identical bool
	}{
		{1, 1, true, true}, {1, math.Nextafter32(1, 2), false, false}, {zero, negative, false, false},
		{nan, nan, true, true}, {nan, other, true, false}, {nan, 1, false, false}, {1, nan, false, false},
	} {
		if values.Same(test.a, test.b) != test.same || values.Identical(test.a, test.b) != test.identical {
			t.Errorf("%s and %s: same should be %v, identical %v", values.Show(test.a), values.Show(test.b), test.same, test.identical)
		}
	}
	smallest, normal := float32(math.SmallestNonzeroFloat32), float32(0x1p-126)
	if !values.IsSubnormal(-smallest) || values.IsSubnormal(normal) || values.IsSubnormal(negative) || values.IsSubnormal(nan) {
		t.Error("IsSubnormal is wrong")
	}
}

// TestRepeatable: values depend on the seed.
func TestRepeatable(t *testing.T) {
	for name, of := range map[string]func(int, uint64) []float32{"Normal": values.Normal, "Uniform": values.Uniform, "Bits": values.Bits} {
		first := of(100, 1)
		if !slices.EqualFunc(first, of(100, 1), values.Identical) || slices.EqualFunc(first, of(100, 2), values.Identical) {
			t.Errorf("%s does not depend on the seed only", name)
		}
	}
}
