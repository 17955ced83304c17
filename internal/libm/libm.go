// Package libm has the bodies of the library's functions: for each function of package ir a
// straight-line program, from which the kernels of all processors and devices are printed.
//
// A body computes in float64 with a relative error near 2^-52, and rounds to float32 once. That
// is the float32 nearest to the real value unless this is that close to the middle between two
// float32. The few inputs for which it is, and for which the result is wrong, are exceptions: a
// body selects their results. What is tested, on all 2^32 inputs, is the result.
//
// BodyWithLookups has the same, with powers of 2^(1/16) from a table, and Quick a body over float32,
// which leaves to Body the inputs of which it is not sure.
//
// Coefficients are in coefficients.go, which go generate writes.
package libm

import "github.com/gmind-go/compute/internal/ir"

//go:generate go run ./generate -o coefficients.go

// bodies has the functions that write the bodies. Each gets the argument and returns the result,
// both float32.
var bodies = map[ir.Op]func(b *body, x ir.Value) ir.Value{
	ir.Exp:           (*body).exp,
	ir.Expm1:         (*body).expm1,
	ir.Log:           (*body).log,
	ir.Log1p:         (*body).log1p,
	ir.Tanh:          (*body).tanh,
	ir.Sigmoid:       (*body).sigmoid,
	ir.LogSigmoid:    (*body).logSigmoid,
	ir.Erf:           (*body).erf,
	ir.Softplus:      (*body).softplus,
	ir.SiLU:          (*body).silu,
	ir.GELU:          (*body).gelu,
	ir.GELUTanh:      (*body).geluTanh,
	ir.Mish:          (*body).mish,
	ir.Softsign:      (*body).softsign,
	ir.Log1pPrime:    (*body).log1pPrime,
	ir.TanhPrime:     (*body).tanhPrime,
	ir.SigmoidPrime:  (*body).sigmoidPrime,
	ir.ErfPrime:      (*body).erfPrime,
	ir.SiLUPrime:     (*body).siluPrime,
	ir.GELUPrime:     (*body).geluPrime,
	ir.GELUTanhPrime: (*body).geluTanhPrime,
	ir.MishPrime:     (*body).mishPrime,
	ir.SoftsignPrime: (*body).softsignPrime,
}

// Body returns the program of a function: one argument x and one result y, both float32. It
// returns nil for an operation that is no function.
func Body(op ir.Op) *ir.Program { return write(op, false) }

// BodyWithLookups is Body for processors with an instruction that looks up each element of a vector
// in a table of 16, as AVX-512 has: exponentials have shorter polynomials, see steps. The results
// are the same; some functions have no such exponential, and the same body.
func BodyWithLookups(op ir.Op) *ir.Program { return write(op, true) }

func write(op ir.Op, lookups bool) *ir.Program {
	f := bodies[op]
	if f == nil {
		return nil
	}
	b := body{lookups: lookups}
	b.Result("y", f(&b, b.Arg("x", ir.F32)))
	return b.Program(op.Info().Name)
}
