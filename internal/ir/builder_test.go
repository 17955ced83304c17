package ir

import "testing"

// TestBuilder checks that equal nodes are one, that nothing is left that no result needs, and
// that the order of nodes does not depend on the order in which they were made.
func TestBuilder(t *testing.T) {
	build := func(reversed bool) *Program {
		b := &Builder{}
		x, y := b.Arg("x", F32), b.Arg("y", F32)
		var sum, product Value
		if reversed {
			product, sum = b.Op(MulF32, x, y), b.Op(AddF32, x, y)
		} else {
			sum, product = b.Op(AddF32, x, y), b.Op(MulF32, x, y)
		}
		b.Op(SubF32, x, y) // not needed
		if again := b.Op(AddF32, y, x); again != sum {
			t.Errorf("x+y is %d and y+x is %d", sum, again)
		}
		b.Result("r", b.Op(DivF32, sum, product))
		return b.Program("f")
	}
	p := build(false)
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	if len(p.Nodes) != 5 || p.Size() != 3 {
		t.Errorf("%d nodes, %d operations, want 5 and 3", len(p.Nodes), p.Size())
	}
	if !p.Equal(build(true)) {
		t.Error("the order in which nodes are made shows")
	}
	b := &Builder{}
	if b.Const(F32, 0x7f800001) != b.Const(F32, 0xffc00000) {
		t.Error("there are several NaNs")
	}
}

// TestLibraryTypes builds and evaluates a body of the kind that functions will have: Horner's
// scheme in float64, and the exponent put in by integer arithmetic.
func TestLibraryTypes(t *testing.T) {
	b := &Builder{}
	x := b.Op(F64FromF32, b.Arg("x", F32))
	f64 := func(bits uint64) Value { return b.Const(F64, bits) }
	y := b.Op(FMAF64, x, f64(0x3fe0<<48), f64(0x3ff0<<48)) // x/2 + 1
	bits := b.Op(AddU64, b.Op(BitsF64, y), b.Op(ShlU64, b.Const(U64, 3), b.Const(U32, 52)))
	b.Result("y", b.Op(F32FromF64, b.Op(FromBitsF64, bits)))
	p := b.Program("f")
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	values := make([]uint64, len(p.Nodes))
	p.Eval(values, 0, []uint64{fromF32(1.5)})
	if got := toF32(values[p.Results[0].Value]); got != 14 { // 1.75 * 2^3
		t.Errorf("got %v", got)
	}
	if q := Simplify(p); !q.Equal(p) && q.Size() >= p.Size() {
		t.Errorf("simplified to %d operations", q.Size())
	}
}
