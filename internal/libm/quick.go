package libm

import (
	"math"

	"github.com/gmind-go/compute/internal/ir"
)

//go:generate go run ./generate -quick -o quickcoefficients.go

// quicks are the functions that write the quick bodies. Each gets the argument, and returns the
// result and whether it is sure.
var quicks = map[ir.Op]func(b *quick, x ir.Value) (y, sure ir.Value){
	ir.Exp:           (*quick).exp,
	ir.Expm1:         (*quick).expm1,
	ir.Log:           (*quick).logarithm,
	ir.Log1p:         (*quick).log1p,
	ir.Tanh:          (*quick).tanh,
	ir.Sigmoid:       (*quick).sigmoid,
	ir.LogSigmoid:    (*quick).logSigmoid,
	ir.Erf:           (*quick).erf,
	ir.Softplus:      (*quick).softplus,
	ir.SiLU:          (*quick).silu,
	ir.GELU:          (*quick).gelu,
	ir.GELUTanh:      (*quick).geluTanh,
	ir.Mish:          (*quick).mish,
	ir.Softsign:      (*quick).softsign,
	ir.Log1pPrime:    (*quick).log1pPrime,
	ir.TanhPrime:     (*quick).tanhPrime,
	ir.SigmoidPrime:  (*quick).sigmoidPrime,
	ir.ErfPrime:      (*quick).erfPrime,
	ir.SiLUPrime:     (*quick).siluPrime,
	ir.GELUPrime:     (*quick).geluPrime,
	ir.GELUTanhPrime: (*quick).geluTanhPrime,
	ir.MishPrime:     (*quick).mishPrime,
	ir.SoftsignPrime: (*quick).softsignPrime,
}

// Quick returns a program of a function over float32 only: one argument x, and the results y, a
// float32, and sure, a bool. Where sure is true, y is that of Body; elsewhere y means nothing. It
// returns nil for an operation that has none.
//
// It is for devices without a fast float64, and asks little of them: sums, products and fma
// rounded to nearest even, which may take subnormal operands and results as zeros, and a division
// that errs by at most 3 units in the last place. It computes with pairs of float32, and is sure
// where all numbers as close to the pair as its error bound have the same nearest float32. The
// bounds are at least twice the largest errors found, and about 2^-39, so that it is not sure of
// 1 in 5,000 to 50,000 ordinary inputs. It is not sure either of most inputs that are infinite,
// NaN or subnormal, or have a result near the ends of the range. The division is no more than a
// first guess, and no product is an operand of a sum, so that neither its error nor a contraction
// matters.
func Quick(op ir.Op) *ir.Program {
	write := quicks[op]
	if write == nil {
		return nil
	}
	var b quick
	y, sure := write(&b, b.Arg("x", ir.F32))
	b.Result("y", y)
	b.Result("sure", sure)
	return b.Program(op.Info().Name)
}

var (
	inf = float32(math.Inf(1))
	nan = float32(math.NaN())
)
