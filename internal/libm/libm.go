// Package libm has the bodies of the library's functions: for each function of package ir a
// straight-line program, from which the kernels of all processors and devices are printed.
//
// A body computes in float64 with a relative error near 2^-52, and rounds to float32 once. That
// is the float32 nearest to the real value unless this is that close to the middle between two
// float32. The few inputs for which it is, and for which the result is wrong, are exceptions: a
// body selects their results. What is tested, on all 2^32 inputs, is the result.
//
// Coefficients are in coefficients.go, which go generate writes.
package libm

import (
	"github.com/gmind-go/compute/internal/ir"
)

//go:generate go run ./generate -o coefficients.go

// bodies are the functions that write the bodies. Each gets the argument and returns the result,
// float32 both.
var bodies = map[ir.Op]func(b *body, x ir.Value) ir.Value{
	ir.Exp:           (*body).exp,
	ir.Expm1:         (*body).expm1,
	ir.Tanh:          (*body).tanh,
	ir.Sigmoid:       (*body).sigmoid,
	ir.SiLU:          (*body).silu,
	ir.Softplus:      (*body).softplus,
	ir.LogSigmoid:    (*body).logSigmoid,
	ir.Mish:          (*body).mish,
	ir.TanhPrime:     (*body).tanhPrime,
	ir.SigmoidPrime:  (*body).sigmoidPrime,
	ir.SiLUPrime:     (*body).siluPrime,
	ir.MishPrime:     (*body).mishPrime,
	ir.Log:           (*body).log,
	ir.Log1p:         (*body).log1p,
	ir.Log1pPrime:    (*body).log1pPrime,
	ir.Erf:           (*body).erf,
	ir.ErfPrime:      (*body).erfPrime,
	ir.GELUPrime:     (*body).geluPrime,
	ir.GELUTanh:      (*body).geluTanh,
	ir.GELUTanhPrime: (*body).geluTanhPrime,
	ir.GELU:          (*body).gelu,
	ir.Softsign:      (*body).softsign,
	ir.SoftsignPrime: (*body).softsignPrime,
}

// Body returns the program of a function: one argument x and one result y, float32 both. It
// returns nil for an operation that is no function.
func Body(op ir.Op) *ir.Program { return written(op, false) }

// BodyWithLookups is Body for processors with an instruction that looks up elements in a table of
// 16: exponentials have shorter polynomials there.
func BodyWithLookups(op ir.Op) *ir.Program { return written(op, true) }

func written(op ir.Op, lookups bool) *ir.Program {
	write := bodies[op]
	if write == nil {
		return nil
	}
	b := body{lookups: lookups}
	b.Result("y", write(&b, b.Arg("x", ir.F32)))
	return b.Program(op.Info().Name)
}
