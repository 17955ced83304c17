package libm

import "github.com/gmind-go/compute/internal/ir"

// A quick is a quick body that is being written. The methods without a comment are operations of
// package ir.
//
// No product is an operand of a sum: devices may make an fma of these. All are written as fma.
type quick struct{ ir.Builder }

func (b *quick) neg(x ir.Value) ir.Value         { return b.Op(ir.NegF32, x) }
func (b *quick) abs(x ir.Value) ir.Value         { return b.Op(ir.Abs, x) }
func (b *quick) add(x, y ir.Value) ir.Value      { return b.Op(ir.AddF32, x, y) }
func (b *quick) sub(x, y ir.Value) ir.Value      { return b.Op(ir.SubF32, x, y) }
func (b *quick) mul(x, y ir.Value) ir.Value      { return b.Op(ir.MulF32, x, y) }
func (b *quick) fma(x, y, z ir.Value) ir.Value   { return b.Op(ir.FMA, x, y, z) }
func (b *quick) and(c, d ir.Value) ir.Value      { return b.Op(ir.And, c, d) }
func (b *quick) or(c, d ir.Value) ir.Value       { return b.Op(ir.Or, c, d) }
func (b *quick) less(x, y ir.Value) ir.Value     { return b.Op(ir.LtF32, x, y) }
func (b *quick) where(c, x, y ir.Value) ir.Value { return b.Op(ir.WhereF32, c, x, y) }

// number returns a constant.
func (b *quick) number(c float32) ir.Value { return b.Float32(c) }

// within reports whether low < x < high.
func (b *quick) within(low float32, x ir.Value, high float32) ir.Value {
	return b.and(b.less(b.number(low), x), b.less(x, b.number(high)))
}

// clamp returns x, or low if x is less, or high if x is greater or NaN.
func (b *quick) clamp(low float32, x ir.Value, high float32) ir.Value {
	return b.Op(ir.Max, b.Op(ir.Min, x, b.number(high)), b.number(low))
}

// zero reports whether x is a zero, and no subnormal number that the device takes as one.
func (b *quick) zero(x ir.Value) ir.Value {
	return b.Op(ir.EqU32, b.Op(ir.ShlU32, b.Op(ir.Bits, x), b.Const(ir.U32, 1)), b.Const(ir.U32, 0))
}

// A pair is the number high + low. |low| is at most some units in the last place of high.
type pair struct{ high, low ir.Value }

// none is the low part of a pair that is a float32, which only muladd takes.
const none = ir.Value(-1)

// muladd returns c + x*y, for a pair y and a constant c in two parts, with a relative error near
// 2^-45 if the sum is between c/2 and 2*c.
func (b *quick) muladd(x ir.Value, y pair, c, low float32) pair {
	h := b.fma(x, y.high, b.number(c))
	l := b.fma(x, y.high, b.sub(b.number(c), h)) // the difference is exact
	if y.low != none {
		l = b.fma(x, y.low, l)
	}
	if low != 0 {
		l = b.add(l, b.number(low))
	}
	return pair{h, l}
}

// addPair returns x+y with an error near 2^-47 of the greater of the two.
func (b *quick) addPair(x, y pair) pair {
	h := b.add(x.high, y.high)
	v := b.sub(h, x.high)
	l := b.add(b.sub(x.high, b.sub(h, v)), b.sub(y.high, v)) // the exact error of h
	return pair{h, b.add(l, b.add(x.low, y.low))}
}

// mulPair returns x*y with a relative error near 2^-45. Its high part may be an operand of a sum.
func (b *quick) mulPair(x, y pair) pair {
	z := b.scalePair(x.high, y)
	return pair{z.high, b.fma(x.low, y.high, z.low)}
}

// scalePair is mulPair for a float32 x. The sum with 0 makes the high part no product, which a
// device could compute again, unrounded, as part of another fma.
func (b *quick) scalePair(x ir.Value, y pair) pair {
	h := b.fma(x, y.high, b.number(0))
	l := b.fma(x, y.high, b.neg(h))
	return pair{h, b.fma(x, y.low, l)}
}

// muladdPair is muladd for a pair x.
func (b *quick) muladdPair(x, y pair, c, low float32) pair {
	z := b.muladd(x.high, y, c, low)
	return pair{z.high, b.fma(x.low, y.high, z.low)}
}

// A series has the coefficients of a polynomial: the first ones are sums of a high and a low part.
type series struct{ high, low []float32 }

// polynomial returns c[0] + c[1]*x + ..., by Horner's rule. The pairs of c must be such as muladd
// asks for. A term without low part is a float32, with the error of one.
func (b *quick) polynomial(x ir.Value, c series) pair {
	n := len(c.low)
	sum := b.muladd(x, pair{b.single(x, c.high[n:]), none}, c.high[n-1], c.low[n-1])
	for i := n - 2; i >= 0; i-- {
		sum = b.muladd(x, sum, c.high[i], c.low[i])
	}
	return sum
}

// polynomialPair is polynomial for a pair x, whose low part is left out where the sum is a float32.
func (b *quick) polynomialPair(x pair, c series) pair {
	n := len(c.low)
	sum := b.muladdPair(x, pair{b.single(x.high, c.high[n:]), none}, c.high[n-1], c.low[n-1])
	for i := n - 2; i >= 0; i-- {
		sum = b.muladdPair(x, sum, c.high[i], c.low[i])
	}
	return sum
}

// single returns c[0] + c[1]*x + ..., computed as a float32.
func (b *quick) single(x ir.Value, c []float32) ir.Value {
	sum := b.number(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		sum = b.fma(sum, x, b.number(c[i]))
	}
	return sum
}

// reciprocal returns 1/x with a relative error near 2^-45. The division, which errs by some units
// in the last place, is a first guess, whose error the rest corrects.
func (b *quick) reciprocal(x pair) pair {
	r := b.Op(ir.DivF32, b.number(1), x.high)
	rest := b.fma(b.neg(r), x.high, b.number(1))
	rest = b.fma(b.neg(r), x.low, rest)
	return pair{r, b.mul(b.fma(rest, rest, rest), r)} // 1/(1-rest) is 1 + rest + rest^2
}

// round returns the float32 nearest to x, and whether it is so for all numbers with a relative
// distance of at most err from x. err is at least twice the largest error found.
func (b *quick) round(x pair, err float32) (y, sure ir.Value) {
	at := func(err float32) ir.Value { return b.add(x.high, b.fma(x.high, b.number(err), x.low)) }
	y = at(-err)
	return y, b.Op(ir.EqF32, y, at(err))
}

// roundScaled is round for x*y. It needs no product of pairs.
func (b *quick) roundScaled(x ir.Value, y pair, err float32) (z, sure ir.Value) {
	at := func(err float32) ir.Value {
		return b.fma(x, y.high, b.mul(x, b.fma(y.high, b.number(err), y.low)))
	}
	z = at(-err)
	return z, b.Op(ir.EqF32, z, at(err))
}

// roundSum is round for x*y, and an error of x of at most err*size.
func (b *quick) roundSum(x, y pair, size ir.Value, err float32) (z, sure ir.Value) {
	at := func(err float32) ir.Value {
		low := b.mul(b.fma(size, b.number(err), x.low), y.high)
		return b.fma(x.high, y.high, b.fma(x.high, y.low, low))
	}
	z = at(-err)
	return z, b.Op(ir.EqF32, z, at(err))
}

// roundProduct is round for x*y.
func (b *quick) roundProduct(x, y pair, err float32) (z, sure ir.Value) {
	low := b.mul(x.low, y.high)
	at := func(err float32) ir.Value {
		return b.fma(x.high, y.high, b.fma(x.high, b.fma(y.high, b.number(err), y.low), low))
	}
	z = at(-err)
	return z, b.Op(ir.EqF32, z, at(err))
}
