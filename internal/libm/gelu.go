package libm

import "github.com/gmind-go/compute/internal/ir"

// tail returns t*t, which is exact, and e and r with Phi(-t) = e*r, for the distribution function
// Phi of the standard normal distribution and a float64 t from 0 to tailMax.
//
// e is e^(-t*t/2), by the reduction of the method scaled, but of u = t*t + 2k*log(2), with log(2)
// as a float64: u is exact, and e^(-u/2) is 1 + u*halfTail(u). The error of log(2) is, but for
// 2^-56, a smooth factor of e, which r makes up for. For NaN only r is NaN. With lookups u is
// t*t + n*log(2)/8, see root.
//
// r falls from 1/2 to 0.03. It is the polynomial gaussTail of w = tailShift -
// tailScale/(t+tailPole).
func (b *body) tail(t ir.Value) (square, e, r ir.Value) {
	square = b.mul(t, t)
	if b.lookups {
		sum := b.fma(square, b.number(-8/ln2), b.number(shift))
		u := b.fma(b.sub(sum, b.number(shift)), b.number(ln2/8), square)
		s := b.root(sum)
		e = b.fma(b.mul(s, u), b.polynomial(u, halfTail16), s)
	} else {
		sum := b.fma(square, b.number(-0.5/ln2), b.number(shift))
		u := b.fma(b.sub(sum, b.number(shift)), b.number(2*ln2), square)
		e = b.raised(b.fma(u, b.polynomial(u, halfTail), b.number(1)), sum)
	}
	w := b.sub(b.number(tailShift), b.div(b.number(tailScale), b.add(t, b.number(tailPole))))
	return square, e, b.polynomial(w, gaussTail)
}

// gelu is x - |x|*Phi(-|x|) for x > 0, and -|x|*Phi(-|x|) for x < 0: max(x, 0) minus the same
// product.
//
// It is x/2 + x*x/sqrt(2*pi) near 0, so that subnormal results are often in the middle between two
// float32, and the square decides. The addend does it for them, and has no effect on others.
func (b *body) gelu(x ir.Value) ir.Value {
	t := b.double(b.most(tailMax, b.Op(ir.Abs, x)))
	_, e, r := b.tail(t)
	y := b.add(b.double(b.least(0, x)), b.number(0x1p-177))
	return b.Op(ir.Copysign, b.round(b.fma(b.neg(t), b.mul(e, r), y)), x)
}

// geluPrime is e*(r - t/sqrt(2*pi)) for t = -x, with e*r = Phi(-t), see tail, and 1 minus that for
// t = x. The quotient gets the factor that r has. Two of the exceptions are near the root, where
// the difference cancels.
func (b *body) geluPrime(x ir.Value) ir.Value {
	t := b.double(b.most(tailMax, b.Op(ir.Abs, x)))
	square, e, r := b.tail(t)
	density := b.fma(square, b.number(densitySlope), b.number(density0))
	y := b.mul(e, b.fma(b.neg(t), density, r))
	return b.except(x, b.round(b.mirrored(x, y)),
		exception{0x1.40d932p-25, 0x1.000002p-1},
		exception{-0x1.40d932p-26, 0x1.fffffep-2},
		exception{0x1.1463f6p-7, 0x1.037216p-1},
		exception{-0x1.a1becap-14, 0x1.ffeb2ap-2},
		exception{-0x1.80eacep-1, 0x1.8cf298p-25},
		exception{-0x1.80eb02p-1, -0x1.4e317ep-21})
}

// mirrored returns y, or 1-y if the float32 x > 0.
func (b *body) mirrored(x, y ir.Value) ir.Value {
	return b.Op(ir.WhereF64, b.Op(ir.LtF32, b.Float32(0), x), b.sub(b.number(1), y), y)
}
