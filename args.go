package compute

// An Arg is a result or an argument of a program in a call of Backend.Run: a Buffer, a Mask,
// F32, U32, Bool, or what Row, Col and Bits return. In a call of Backend.RunSlices a Slice
// takes the place of a Buffer, and Words that of a Mask.
//
// A result of type float32 is a Buffer, and one of type bool a Mask. An argument of type
// float32 is a Buffer, a Row, a Col or an F32, one of type bool a Mask or a Bool, and one of
// type uint32 a U32.
type Arg interface {
	// Len returns the number of elements: 1 for a scalar.
	Len() int
}

// The scalars: arguments that have the same value for all elements. What a program computes
// from scalars alone is computed once for each call, and another value compiles nothing.
type (
	F32  float32 // an argument of type float32
	U32  uint32  // an argument of type uint32
	Bool bool    // an argument of type bool
)

// Len returns 1.
func (F32) Len() int { return 1 }

// Len returns 1.
func (U32) Len() int { return 1 }

// Len returns 1.
func (Bool) Len() int { return 1 }

// A Slice is a Buffer in the memory of the host, for Backend.RunSlices.
type Slice []float32

// Len returns the number of elements.
func (s Slice) Len() int { return len(s) }

// Words are a Mask in the memory of the host, for Backend.RunSlices: bit i is bit i%64 of
// word i/64. A mask of n bits has (n+63)/64 words.
type Words []uint64

// Len returns the number of bits.
func (w Words) Len() int { return 64 * len(w) }

// Row returns an argument that repeats a, a Buffer or a Slice: of n elements, element i is
// that with the index i modulo a.Len(), which divides n. With a matrix in row-major order, a
// is a row that is the same for all rows, such as a bias for each column.
func Row(a Arg) Arg { return Repeated{a, false} }

// Col returns an argument that repeats each element of a, a Buffer or a Slice: of n elements,
// element i is that with the index i/(n/a.Len()); a.Len() divides n. With a matrix in
// row-major order, a is a column that is the same for all columns, such as a scale for each
// row.
func Col(a Arg) Arg { return Repeated{a, true} }

// Repeated is what Row and Col return.
type Repeated struct {
	Of  Arg  // a Buffer or a Slice
	Col bool // whether each element is repeated, and not the whole
}

// Len returns the number of elements that are repeated.
func (r Repeated) Len() int {
	if r.Of == nil {
		return 0
	}
	return r.Of.Len()
}

// Bits returns m as an argument or result of type bool. Bit i is that of element i. It is m
// itself, and says what the mask is used for.
func Bits(m Mask) Arg { return m }

// A Call is a call of a program that is checked and compiled: see Backend.Prepare. Its methods
// may be called from several goroutines at once.
type Call interface {
	// Run computes the results from what the arguments hold now. On the CPU it allocates
	// nothing. Errors: those of Backend.Run that may change from call to call: ErrClosed,
	// ErrOutOfMemory, ErrDevice, ErrCompile.
	Run() error

	// Set changes the value of the scalar argument with the name, for later calls of Run. v is
	// of the type of the argument. Errors: ErrArgument if there is no such scalar, or if it has
	// another type.
	Set(name string, v Arg) error
}
