package libm

import (
	"math"

	"github.com/gmind-go/compute/internal/ir"
)

// A body is a program that is being written. The methods without a comment are operations of
// package ir.
type body struct {
	ir.Builder
	lookups bool // whether to look up powers
}

func (b *body) double(x ir.Value) ir.Value    { return b.Op(ir.F64FromF32, x) } // a float32 as a float64
func (b *body) round(x ir.Value) ir.Value     { return b.Op(ir.F32FromF64, x) } // a float64 to float32
func (b *body) neg(x ir.Value) ir.Value       { return b.Op(ir.NegF64, x) }
func (b *body) add(x, y ir.Value) ir.Value    { return b.Op(ir.AddF64, x, y) }
func (b *body) sub(x, y ir.Value) ir.Value    { return b.Op(ir.SubF64, x, y) }
func (b *body) mul(x, y ir.Value) ir.Value    { return b.Op(ir.MulF64, x, y) }
func (b *body) div(x, y ir.Value) ir.Value    { return b.Op(ir.DivF64, x, y) }
func (b *body) fma(x, y, z ir.Value) ir.Value { return b.Op(ir.FMAF64, x, y, z) }

// number returns a constant.
func (b *body) number(c float64) ir.Value { return b.Const(ir.F64, math.Float64bits(c)) }

// polynomial returns c[0] + c[1]*x + ..., by Horner's rule.
func (b *body) polynomial(x ir.Value, c []float64) ir.Value {
	sum := b.number(c[len(c)-1])
	for i := len(c) - 2; i >= 0; i-- {
		sum = b.fma(sum, x, b.number(c[i]))
	}
	return sum
}

// least returns x, or low if x is less; NaN stays NaN. Both are float32.
func (b *body) least(low float32, x ir.Value) ir.Value { return b.Op(ir.Max, b.Float32(low), x) }

// most returns x, or high if x is greater; NaN stays NaN. Both are float32.
func (b *body) most(high float32, x ir.Value) ir.Value { return b.Op(ir.Min, b.Float32(high), x) }

// clamp returns x, or low if x is less, or high if x is greater; NaN stays NaN. All are float32.
func (b *body) clamp(low float32, x ir.Value, high float32) ir.Value {
	return b.least(low, b.most(high, x))
}

// zero returns x if x is 0, with its sign, otherwise y. All are float32.
func (b *body) zero(x, y ir.Value) ir.Value {
	return b.Op(ir.WhereF32, b.Op(ir.EqF32, x, b.Float32(0)), x, y)
}

// near returns z if |x| < limit, otherwise y. All are float32.
func (b *body) near(x ir.Value, limit float32, z, y ir.Value) ir.Value {
	return b.Op(ir.WhereF32, b.Op(ir.LtF32, b.Op(ir.Abs, x), b.Float32(limit)), z, y)
}

// far returns y if |x| >= limit, otherwise z, so for NaN too. All are float32.
func (b *body) far(x ir.Value, limit float32, y, z ir.Value) ir.Value {
	return b.Op(ir.WhereF32, b.Op(ir.LeF32, b.Float32(limit), b.Op(ir.Abs, x)), y, z)
}

// An exception is an input of a body, and the result that its evaluation misses. Both are float32.
type exception struct{ x, y float32 }

// except returns y, or the result of the exception that x is. All are float32.
func (b *body) except(x, y ir.Value, list ...exception) ir.Value {
	for _, e := range list {
		y = b.Op(ir.WhereF32, b.Op(ir.EqF32, x, b.Float32(e.x)), b.Float32(e.y), y)
	}
	return y
}
