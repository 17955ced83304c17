package ir

import (
	"math"
	"testing"
)

// TestSharedBranches checks that the derivative of selects that share their branches stays
// small, though a tree of them would have 2^60 leaves.
func TestSharedBranches(t *testing.T) {
	b := &Builder{}
	x := b.Arg("x", F32)
	y := b.Op(Max, x, b.Float32(0))
	for i := range 60 {
		c := b.Op(LtF32, b.Float32(float32(i)), x)
		y = b.Op(WhereF32, c, b.Op(MulF32, y, b.Float32(3)), b.Op(NegF32, y))
	}
	b.Result("y", y)
	p := b.Program("f")
	name := func(string) string { return "d" }
	for _, d := range []*Program{Partial(p, 0, name), Backward(p, 0, nil, name, "dx"), Backward(p, 0, p, name, "dx")} {
		if n := d.Size(); n > 5*p.Size() {
			t.Errorf("%d operations have a derivative of %d", p.Size(), n)
		}
		if err := d.Check(); err != nil {
			t.Error(err)
		}
	}
	d := Backward(p, 0, nil, name, "dx")
	values := make([]uint64, len(d.Nodes))
	inf := uint64(0x7f800000)
	for x, want := range map[float32]uint64{-1: 0, 0.5: fromF32(float32(math.Inf(-1))), 60: inf} {
		d.Eval(values, 0, []uint64{inf, fromF32(x)})
		if got := values[d.Results[0].Value]; got != want {
			t.Errorf("the gradient at %v is %v, want %v", x, toF32(got), toF32(want))
		}
	}
}
