package ir

// An Op is an operation. Its name ends in the type of its operands where several types have
// such an operation.
type Op uint8

// The operations. The table has what each of them is.
const (
	Arg   Op = iota // an argument: Imm is its index
	Const           // a constant: Imm has its bits

	// On float32.
	NegF32
	AddF32
	SubF32
	MulF32
	DivF32
	FMA
	Sqrt
	Abs
	Copysign
	Min
	Max
	Floor
	Ceil
	Trunc
	Rint
	EqF32
	LtF32
	LeF32
	WhereF32

	// On bool.
	And
	Or
	Not

	// On uint32.
	AddU32
	SubU32
	MulU32
	AndU32
	OrU32
	XorU32
	ShlU32
	ShrU32
	EqU32
	LtU32
	WhereU32

	// Conversions, and random numbers.
	F32FromU32
	U32FromF32
	Bits
	FromBits
	RandBits

	// Functions, correctly rounded.
	Exp
	Expm1
	Log
	Log1p
	Tanh
	Sigmoid
	LogSigmoid
	Erf
	Softplus
	SiLU
	GELU
	GELUTanh
	Mish
	Softsign
	Log1pPrime
	TanhPrime
	SigmoidPrime
	ErfPrime
	SiLUPrime
	GELUPrime
	GELUTanhPrime
	MishPrime
	SoftsignPrime

	// For the bodies of functions: on float64, and uint64, which are the bits of float64.
	NegF64
	AddF64
	SubF64
	MulF64
	DivF64
	FMAF64
	WhereF64
	AddU64
	AndU64
	OrU64
	ShlU64
	ShrU64
	F64FromF32
	F32FromF64
	BitsF64
	FromBitsF64
	Lookup // in a table: Imm is its index

	// Defined by other operations: they never occur in a program.
	NeF32
	GtF32
	GeF32
	NeU32
	GtU32
	LeU32
	GeU32
	EqBool
	NeBool
	WhereBool
	NegU32
	NotU32
	AndNotU32
	MinU32
	MaxU32
	Rand
	SameF32
	SameU32
	SameBool

	// The derivatives 0 and 1 while Partial and Backward compute. They differ from the
	// constants: nothing is multiplied by them. Simplify makes constants of what is left.
	zero
	one

	count
)
