package play

import (
	"math"
	"testing"

	"github.com/gmind-go/compute"
)

// TestRefusal: of several errors, the first is expected.
func TestRefusal(t *testing.T) {
	f, nan := compute.LeakyReLU(0.5), compute.LeakyReLU(float32(math.NaN()))
	foreign, released, short, x := &held{foreign: true}, &held{n: 2, released: true}, &held{n: 1}, &held{n: 2}
	for _, test := range []struct {
		f        compute.Activation
		operands []*held
		want     error
	}{
		{compute.Activation{}, []*held{foreign, x}, compute.ErrActivation},
		{nan, []*held{foreign, x}, compute.ErrSlope},
		{f, []*held{short, released, foreign, x}, compute.ErrForeignBuffer},
		{f, []*held{short, released, x}, compute.ErrClosed},
		{f, []*held{short, x}, compute.ErrLength},
		{f, []*held{x, x}, nil},
	} {
		if got := refusal(test.f, test.operands...); got != test.want {
			t.Errorf("%v of %d operands: got %v, want %v", test.f, len(test.operands), got, test.want)
		}
	}
}
