package libm

import "github.com/gmind-go/compute/internal/ir"

// tanh is m/(m+2) with m = e^(2x) - 1.
func (b *body) tanh(x ir.Value) ir.Value {
	v := b.clamp(-10, x, 10)
	s, p := b.reduced(b.double(b.Op(ir.AddF32, v, v)))
	m := b.fma(s, p, b.sub(s, b.number(1)))
	return b.zero(x, b.round(b.div(m, b.add(m, b.number(2)))))
}

// tanhPrime is 4e/(1+e)^2 with e = e^(-2|x|).
func (b *body) tanhPrime(x ir.Value) ir.Value {
	v := b.Op(ir.Abs, x)
	e := b.power(b.double(b.least(-108, b.Op(ir.NegF32, b.Op(ir.AddF32, v, v)))))
	d := b.add(e, b.number(1))
	e = b.add(e, e)
	return b.round(b.div(b.add(e, e), b.mul(d, d)))
}

// sigmoid is 1/(1+e^-x).
//
// It is 1/2 + x/4 - x^3/48 near 0, so that x/4 is often in the middle between two float32, and
// the cube decides: it makes the result less in size, as a factor of x slightly below 1/4 does.
func (b *body) sigmoid(x ir.Value) ir.Value {
	v := b.Op(ir.NegF32, b.clamp(-104, x, 89))
	one := b.number(1)
	y := b.round(b.div(one, b.add(b.scaled(b.double(v)), one)))
	y = b.far(x, 0x1p-12, y, b.Op(ir.FMA, x, b.Float32(0x1.fffffep-3), b.Float32(0.5)))
	return b.except(x, y, exception{-0x1.250c02p-10, 0x1.ffb6bep-2})
}

// sigmoidPrime is e/(1+e)^2 with e = e^-|x|.
func (b *body) sigmoidPrime(x ir.Value) ir.Value {
	e := b.power(b.double(b.least(-108, b.Op(ir.NegF32, b.Op(ir.Abs, x)))))
	d := b.add(e, b.number(1))
	return b.round(b.div(e, b.mul(d, d)))
}
