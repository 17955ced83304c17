package libm

import (
	"math"

	"github.com/gmind-go/compute/internal/ir"
)

// logarithm returns log(d) for a float64 d that is positive, normal and finite.
//
// d is 2^k*m with m from sqrt(1/2) to sqrt(2). With f = m - 1, which is exact, z = f/(m+1) and
// s = z*z, log(m) is the series 2z + 2z*s/3 + 2z*s*s/5 + ... Since 2z = f - z*f, this is
// f - z*(f - s*q(s)) with the polynomial logTail: a small correction of f, so that the error is
// near that of one rounding.
//
// For k = 0 the sum with k*log(2) changes nothing. For others the result is at least 0.34, and the
// error of log(2) as a float64 is below 2^-54 of it.
func (b *body) logarithm(d ir.Value) ir.Value {
	const one, two52 = 0x3ff << 52, 0x433 << 52 // the bits of 1 and 2^52
	root := math.Float64bits(math.Sqrt2 / 2)
	number := func(u uint64) ir.Value { return b.Const(ir.U64, u) }
	// The exponent of t is k, that of 1 + the fraction of m above the root.
	t := b.Op(ir.AddU64, b.Op(ir.BitsF64, d), number(one-root))
	k := b.Op(ir.FromBitsF64, b.Op(ir.OrU64, b.Op(ir.ShrU64, t, b.Const(ir.U32, 52)), number(two52)))
	k = b.sub(k, b.number(0x1p52+1023))
	m := b.Op(ir.FromBitsF64, b.Op(ir.AddU64, b.Op(ir.AndU64, t, number(1<<52-1)), number(root)))

	f := b.sub(m, b.number(1))
	z := b.div(f, b.add(m, b.number(1)))
	s := b.mul(z, z)
	g := b.fma(b.neg(s), b.polynomial(s, logTail), f)
	return b.fma(b.neg(z), g, b.fma(k, b.number(ln2), f))
}

// domain returns the result of a logarithm: y if x > low, -Inf for low, NaN below, and x for
// +Inf and NaN. All are float32.
func (b *body) domain(low float32, x, y ir.Value) ir.Value {
	inf := float32(math.Inf(1))
	bound := b.Float32(low)
	y = b.Op(ir.WhereF32, b.Op(ir.LtF32, x, b.Float32(inf)), y, x)
	edge := b.Op(ir.WhereF32, b.Op(ir.EqF32, x, bound), b.Float32(-inf), b.Float32(float32(math.NaN())))
	return b.Op(ir.WhereF32, b.Op(ir.LtF32, bound, x), y, edge)
}

// log: a subnormal float32 is a normal float64.
func (b *body) log(x ir.Value) ir.Value {
	y := b.except(x, b.round(b.logarithm(b.double(x))),
		exception{0x1.bacb4ap+25, 0x1.1e0696p+4},
		exception{0x1.b121a6p+76, 0x1.a9a3f2p+5},
		exception{0x1.6351d8p+95, 0x1.08b512p+6})
	return b.domain(0, x, y)
}

// log1p: 1+x is exact from 2^-29 to 2^53 in size. Below, and up to 2^-26, the result is x; above, x
// is near enough. For the first four exceptions x - x*x/2 is so near the middle between two float32
// that the cube decides.
func (b *body) log1p(x ir.Value) ir.Value {
	y := b.except(x, b.round(b.logarithm(b.add(b.double(x), b.number(1)))),
		exception{0x1.800006p-21, 0x1.7ffffep-21},
		exception{-0x1.7ffffap-21, -0x1.800002p-21},
		exception{0x1.200036p-17, 0x1.1fffe6p-17},
		exception{-0x1.1fffcap-17, -0x1.20001ap-17},
		exception{-0x1.1d9188p-9, -0x1.1de14ap-9},
		exception{0x1.b121a6p+76, 0x1.a9a3f2p+5},
		exception{0x1.6351d8p+95, 0x1.08b512p+6})
	return b.domain(-1, x, b.near(x, 0x1p-26, x, y))
}
