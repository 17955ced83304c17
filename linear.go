package compute

import "github.com/gmind-go/compute/expr"

// A Linear backend multiplies matrices. Every backend of this module is one; As finds it behind
// a wrapper:
//
//	l, ok := compute.As[compute.Linear](b)
//	err := l.MatMul(y, x, batch, inputs, w, outputs, compute.TransposeB)
type Linear interface {
	Backend

	// MatMul sets c, a matrix of m rows and n columns, to the product of a, of m rows and k
	// columns, and b, of k rows and n columns. All are in row-major order, without gaps: c has
	// m*n elements, a has m*k and b has k*n. c shares no memory with the others (ErrOverlap).
	//
	// The order of all operations is defined, so that the product has the same bits on every
	// backend. With s[t] the chain of s = fma(a[i,l], b[l,j], s) from +0 over the l in block t
	// of 256, in ascending order,
	//
	//	c[i,j] = ((s[0] + s[1]) + s[2]) + ...
	//
	// where fma rounds once, to float32, as each addition does. It is +0 if k is 0.
	//
	// Errors: ErrArgument if m, k or n is negative or an option is nil; ErrLength; ErrOverlap;
	// ErrForeignBuffer; ErrClosed, ErrOutOfMemory, ErrDevice; with Then, those of Run.
	MatMul(c, a Buffer, m, k int, b Buffer, n int, options ...MatMulOption) error
}

// A MatMulOption changes what MatMul computes: TransposeA, TransposeB, Accumulate, or what Then
// returns.
type MatMulOption func(*Product)

// A Product has the options of a call of MatMul.
type Product struct {
	TransposeA, TransposeB, Accumulate bool

	Then  *expr.Program // or nil
	Args  []Arg         // of Then
	Thens int           // how often Then is among the options
}

// TransposeA takes a as the transpose of what is stored: a has k rows and m columns there.
func TransposeA(p *Product) { p.TransposeA = true }

// TransposeB takes b as the transpose of what is stored: b has n rows and k columns there.
func TransposeB(p *Product) { p.TransposeB = true }

// Accumulate adds the product to what c holds: c[i,j] = ((c[i,j] + s[0]) + s[1]) + ...
func Accumulate(p *Product) { p.Accumulate = true }

// Then computes p for every element of the product, in the same pass, such as a bias and an
// activation. The element is the first argument of p, and its first result is that of c. args are
// what Run takes without these two: the other results of p, then its other arguments. Buffers and
// Masks among them have the length of c, which is also the matrix that Row and Col repeat in. A
// result shares no memory with a, b, c or another result, nor with an argument that is not the
// same elements. An argument that is c has the product too. A call takes one Then; a nil p
// without args is none.
//
//	biasReLU := expr.MustParse("biasReLU(p, bias) = max(0, p + bias)")
//	err := l.MatMul(y, x, batch, in, w, out, compute.Then(biasReLU, compute.Row(bias)))
//
// The first argument of a program of Program.Backward is the gradient of the output, dy. So the
// gradient goes back through a layer, and through the activation before it, in one pass too:
//
//	back := compute.ReLU().Program().Backward("x")
//	err := l.MatMul(dz, dy, batch, out, w, in, compute.TransposeB, compute.Then(back, z))
func Then(p *expr.Program, args ...Arg) MatMulOption {
	return func(o *Product) { o.Then, o.Args, o.Thens = p, args, o.Thens+1 }
}
