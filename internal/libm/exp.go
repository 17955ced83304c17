package libm

import (
	"math"

	"github.com/gmind-go/compute/internal/ir"
)

// A sum with shift rounds a number to an integer k, which its lowest bits have. In a sum with magic
// they have k+1023 instead, which as the exponent of a float64 stands for 2^k.
const (
	shift = 0x1.8p52
	magic = shift + 1023
)

// top returns the lowest bits of a sum as the highest, those of the sign and the exponent.
func (b *body) top(sum ir.Value) ir.Value {
	return b.Op(ir.ShlU64, b.Op(ir.BitsF64, sum), b.Const(ir.U32, 52))
}

// raised returns y*2^k for the sum of k and shift, and anything for NaN.
func (b *body) raised(y, sum ir.Value) ir.Value {
	return b.Op(ir.FromBitsF64, b.Op(ir.AddU64, b.Op(ir.BitsF64, y), b.top(sum)))
}

// scale returns 2^k, and k as a float64, for the sum of k and magic.
func (b *body) scale(sum ir.Value) (power, k ir.Value) {
	return b.Op(ir.FromBitsF64, b.top(sum)), b.sub(sum, b.number(magic))
}

// reduced returns s, a power of two, and p, with e^x = s*(1+p) and |p| < 0.42, for a float64 x
// with |x| < 700.
//
// With k the integer nearest to x/log(2), s is 2^k and p is e^r - 1 for r = x - k*log(2), |r| <=
// log(2)/2. The error of log(2) as a float64, 2^-55, makes one of k*2^-55 in e^x. That is small
// where k is, and a function of e^x has few results where it is not.
func (b *body) reduced(x ir.Value) (s, p ir.Value) {
	s, k := b.scale(b.fma(x, b.number(1/ln2), b.number(magic)))
	return s, b.tiny(b.fma(k, b.number(-ln2), x))
}

// precise is reduced with log(2) in two parts. The upper part has trailing zeros, so that its
// product with k and the first difference are exact.
func (b *body) precise(x ir.Value) (s, p ir.Value) {
	s, k := b.scale(b.fma(x, b.number(1/ln2), b.number(magic)))
	r := b.fma(k, b.number(-ln2High), x)
	return s, b.tiny(b.fma(k, b.number(-ln2Low), r))
}

// tiny returns e^r - 1 for |r| <= log(2)/2: r + r*r*q(r) with the polynomial expTail.
func (b *body) tiny(r ir.Value) ir.Value {
	return b.fma(b.mul(r, r), b.polynomial(r, expTail), r)
}

// scaled returns e^x for a float64 x with |x| < 700, and anything for NaN: its callers have results
// that are NaN because of another operand. It is e^r of reduced, to whose exponent k is added, in
// one operation less than s*(1+p).
func (b *body) scaled(x ir.Value) ir.Value {
	if b.lookups {
		return b.power(x)
	}
	sum := b.fma(x, b.number(1/ln2), b.number(shift))
	r := b.fma(b.sub(sum, b.number(shift)), b.number(-ln2), x)
	one := b.number(1)
	y := b.fma(b.fma(b.polynomial(r, expTail), r, one), r, one)
	return b.raised(y, sum)
}

// power is scaled where NaN has to stay NaN.
func (b *body) power(x ir.Value) ir.Value {
	s, p := b.steps(x, b.reduced, func(n ir.Value) ir.Value { return b.fma(n, b.number(-ln2/16), x) })
	return b.fma(s, p, s)
}

// precisePower is power by the method precise.
func (b *body) precisePower(x ir.Value) ir.Value {
	s, p := b.steps(x, b.precise, func(n ir.Value) ir.Value {
		return b.fma(n, b.number(-ln2Low/16), b.fma(n, b.number(-ln2High/16), x))
	})
	return b.fma(s, p, s)
}

// steps is plain(x). With lookups s is a power of 2^(1/16), rounded, instead of one of 2, so that
// r = rest(n) = x - n*log(2)/16 is at most log(2)/32 in size.
func (b *body) steps(x ir.Value, plain func(ir.Value) (s, p ir.Value), rest func(n ir.Value) ir.Value) (s, p ir.Value) {
	if !b.lookups {
		return plain(x)
	}
	sum := b.fma(x, b.number(16/ln2), b.number(shift))
	r := rest(b.sub(sum, b.number(shift)))
	return b.root(sum), b.fma(b.mul(r, r), b.polynomial(r, expTail16), r)
}

// root returns 2^(n/16), rounded, for the sum of n and shift, whose lowest bits are n = 16k + j.
// Shifted to the left they add k to the exponent, and j below it, which the table has
// subtracted from the bits of 2^(j/16).
func (b *body) root(sum ir.Value) ir.Value {
	var t ir.Table
	for j, root := range roots {
		t[j] = math.Float64bits(root) - uint64(j)<<48
	}
	n := b.Op(ir.BitsF64, sum)
	power := b.Op(ir.AddU64, b.Op(ir.BitsF64, b.Lookup(t, n)), b.Op(ir.ShlU64, n, b.Const(ir.U32, 48)))
	return b.Op(ir.FromBitsF64, power)
}

// exp: beyond the bounds the result is 0 or infinite as for the bounds.
func (b *body) exp(x ir.Value) ir.Value {
	return b.round(b.precisePower(b.double(b.clamp(-104, x, 89))))
}

// expm1 is s*p + (s-1), with a small relative error near 0 too, where s is 1.
func (b *body) expm1(x ir.Value) ir.Value {
	s, p := b.precise(b.double(b.clamp(-30, x, 89)))
	return b.zero(x, b.round(b.fma(s, p, b.sub(s, b.number(1)))))
}
