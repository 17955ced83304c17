package ir

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// floats returns special values and n random ones.
func floats(n int) []float32 {
	list := []float32{0, 1, 1.5, 3, 0x1p-149, 0x1p-126, 0x1.fffffcp-127, 0x1p-75, 0x1.8p-75, 0x1.fffffep23, 0x1p24, 0x1p31, 0x1p32, math.MaxFloat32, float32(math.Inf(1))}
	for _, x := range list {
		list = append(list, -x)
	}
	list = append(list, float32(math.NaN()))
	r := rand.New(rand.NewPCG(1, 2))
	for range n {
		list = append(list, math.Float32frombits(r.Uint32()), float32(r.NormFloat64()))
	}
	return list
}

func finite(list ...float32) bool {
	for _, x := range list {
		if math.IsInf(float64(x), 0) || x != x {
			return false
		}
	}
	return true
}

func equal(x, y float32) bool {
	return x == y && math.Signbit(float64(x)) == math.Signbit(float64(y)) || x != x && y != y
}

// TestFMA compares with exact arithmetic, rounded once.
func TestFMA(t *testing.T) {
	fma := func(x, y, z float32) float32 { return toF32(table[FMA].eval(fromF32(x), fromF32(y), fromF32(z))) }
	inf, nan := float32(math.Inf(1)), float32(math.NaN())
	for _, known := range [][4]float32{
		{inf, 0, 1, nan}, {inf, 2, -inf, nan}, {inf, 2, 1, inf}, {1, 2, -inf, -inf}, {nan, 1, 1, nan},
		{1, -1, 1, 0}, {0, -1, float32(math.Copysign(0, -1)), float32(math.Copysign(0, -1))},
		{math.MaxFloat32, 2, -math.MaxFloat32, math.MaxFloat32}, {math.MaxFloat32, math.MaxFloat32, 0, inf},
		{0x1.000002p0, 0x1.000002p0, 0x1p-60, 0x1.000004p0}, {0x1p-100, 0x1p-100, 0x1p-149, 0x1p-149},
	} {
		if got := fma(known[0], known[1], known[2]); !equal(got, known[3]) {
			t.Errorf("fma(%x, %x, %x) = %x, want %x", known[0], known[1], known[2], got, known[3])
		}
	}
	list := floats(40)
	once := func(x, y, z float32) {
		if !finite(x, y, z) {
			return
		}
		product := new(big.Float).SetPrec(2000).Mul(big.NewFloat(float64(x)), big.NewFloat(float64(y)))
		sum := product.Add(product, big.NewFloat(float64(z)))
		want, _ := sum.Float32()
		if got := fma(x, y, z); got != want {
			t.Fatalf("fma(%x, %x, %x) = %x, want %x", x, y, z, got, want)
		}
	}
	for _, x := range list {
		for _, y := range list {
			for _, z := range list {
				once(x, y, z)
			}
		}
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range 200000 { // products near halfway between two float32, and a small z
		x, y := math.Float32frombits(0x3f800000|r.Uint32()>>9), math.Float32frombits(0x3f800000|r.Uint32N(4096)<<12)
		once(x, y, float32(math.Ldexp(float64(r.IntN(3)-1), -r.IntN(80))))
	}
}

// TestRounding compares the primitives on float32 with exact arithmetic.
func TestRounding(t *testing.T) {
	list := floats(300)
	eval := func(op Op, x, y float32) float32 { return toF32(table[op].eval(fromF32(x), fromF32(y), 0)) }
	for _, x := range list {
		for _, y := range list {
			if !finite(x, y) {
				continue
			}
			a, b := new(big.Float).SetPrec(400).SetFloat64(float64(x)), new(big.Float).SetPrec(400).SetFloat64(float64(y))
			z := new(big.Float).SetPrec(400)
			for op, want := range map[Op]func() *big.Float{
				AddF32: func() *big.Float { return z.Add(a, b) },
				SubF32: func() *big.Float { return z.Sub(a, b) },
				MulF32: func() *big.Float { return z.Mul(a, b) },
			} {
				want, _ := want().Float32()
				if got := eval(op, x, y); got != want {
					t.Fatalf("%x %s %x = %x, want %x", x, table[op].Name, y, got, want)
				}
			}
			if y != 0 {
				quotient := new(big.Rat).SetFloat64(float64(x))
				want, _ := quotient.Quo(quotient, new(big.Rat).SetFloat64(float64(y))).Float32()
				if got := eval(DivF32, x, y); got != want {
					t.Fatalf("%x / %x = %x, want %x", x, y, got, want)
				}
			}
		}
		if x > 0 && finite(x) {
			want, _ := new(big.Float).SetPrec(400).Sqrt(big.NewFloat(float64(x))).Float32()
			if got := eval(Sqrt, x, 0); got != want {
				t.Fatalf("sqrt(%x) = %x, want %x", x, got, want)
			}
		}
	}
}

// TestSpecial checks what is easy to get wrong: zeros, NaN, and the ends of ranges.
func TestSpecial(t *testing.T) {
	inf, nan, negative := float32(math.Inf(1)), float32(math.NaN()), float32(math.Copysign(0, -1))
	for _, known := range []struct {
		op   Op
		x    []float32
		want float32
	}{
		{Min, []float32{nan, 1}, 1}, {Min, []float32{1, nan}, nan}, {Min, []float32{0, negative}, negative}, {Min, []float32{negative, 0}, 0},
		{Max, []float32{nan, 1}, 1}, {Max, []float32{1, nan}, nan}, {Max, []float32{0, negative}, negative}, {Max, []float32{negative, 0}, 0},
		{Rint, []float32{2.5}, 2}, {Rint, []float32{3.5}, 4}, {Rint, []float32{-0.25}, negative},
		{Floor, []float32{-0.5}, -1}, {Ceil, []float32{-0.5}, negative}, {Trunc, []float32{-1.5}, -1},
		{Abs, []float32{negative}, 0}, {NegF32, []float32{0}, negative},
		{Copysign, []float32{1, negative}, -1}, {Copysign, []float32{-1, -nan}, 1}, {Copysign, []float32{-1, neg(nan)}, 1},
		{Sqrt, []float32{negative}, negative}, {Sqrt, []float32{-1}, nan},
		{DivF32, []float32{1, negative}, -inf}, {DivF32, []float32{0, 0}, nan},
	} {
		var in [3]uint64
		for i, x := range known.x {
			in[i] = fromF32(x)
		}
		if got := toF32(table[known.op].eval(in[0], in[1], in[2])); !equal(got, known.want) {
			t.Errorf("%s%v = %v, want %v", table[known.op].Name, known.x, got, known.want)
		}
	}
	for x, want := range map[float32]uint64{
		-inf: 0, -1: 0, negative: 0, 0.9: 0, 1.9: 1, 0x1.fffffep31: 0xffffff00, 1 << 32: math.MaxUint32, inf: math.MaxUint32,
	} {
		if got := table[U32FromF32].eval(fromF32(x), 0, 0); got != want {
			t.Errorf("uint32(%v) = %d, want %d", x, got, want)
		}
	}
	if got := table[U32FromF32].eval(fromF32(nan), 0, 0); got != 0 {
		t.Errorf("uint32(NaN) = %d", got)
	}
	for _, bits := range []uint64{0x7f800001, 0xffc00000, 0x7fffffff} {
		if got := table[Bits].eval(bits, 0, 0); got != 0x7fc00000 {
			t.Errorf("bits of %#x = %#x", bits, got)
		}
	}
	for u, want := range map[uint64]float32{1<<24 + 1: 1 << 24, 1<<24 + 3: 1<<24 + 4, math.MaxUint32: 1 << 32, 0xffffff7f: 0x1.fffffep31} {
		if got := toF32(table[F32FromU32].eval(u, 0, 0)); got != want {
			t.Errorf("float32(%d) = %v, want %v", u, got, want)
		}
	}
}

// TestLibrary checks the operations on float64 and uint64.
func TestLibrary(t *testing.T) {
	d := math.Float64bits
	const big = 1<<63 + 5
	for _, known := range []struct {
		op   Op
		in   [3]uint64
		want uint64
	}{
		{NegF64, [3]uint64{d(1.5)}, d(-1.5)}, {AddF64, [3]uint64{d(1), d(0x1p-52)}, d(0x1.0000000000001p0)},
		{SubF64, [3]uint64{d(1), d(3)}, d(-2)}, {MulF64, [3]uint64{d(0.1), d(3)}, d(0.30000000000000004)},
		{DivF64, [3]uint64{d(1), d(3)}, d(1.0 / 3)}, {FMAF64, [3]uint64{d(0x1.0000001p0), d(0x1.0000001p0), d(-1)}, d(0x1.00000008p-27)},
		{WhereF64, [3]uint64{1, d(3), d(4)}, d(3)},
		{AddU64, [3]uint64{big, big}, 10},
		{AndU64, [3]uint64{12, 10}, 8}, {OrU64, [3]uint64{12, 10}, 14},
		{ShlU64, [3]uint64{3, 62}, 3 << 62}, {ShrU64, [3]uint64{big, 63}, 1},
		{F64FromF32, [3]uint64{fromF32(0.1)}, d(float64(float32(0.1)))},
		{F32FromF64, [3]uint64{d(0x1.000001p0)}, fromF32(1)}, {BitsF64, [3]uint64{d(1)}, 0x3ff << 52}, {FromBitsF64, [3]uint64{0x3ff << 52}, d(1)},
	} {
		if got := table[known.op].eval(known.in[0], known.in[1], known.in[2]); got != known.want {
			t.Errorf("%s of %#x = %#x, want %#x", table[known.op].Name, known.in, got, known.want)
		}
	}
}
