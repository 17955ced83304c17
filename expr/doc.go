// Package expr has programs: functions of one element, written as text in Go's grammar. A
// backend applies a program to all elements of its operands, in one pass.
//
//	var silu = expr.MustParse("silu(x, beta) = x * sigmoid(beta*x)")
//
// A program has the same bits everywhere. Each operation is exact, or rounded once and to
// nearest even, and the functions are correctly rounded: their result is the float32 nearest
// to the real value. Nothing is reassociated or contracted, so a program may be fused,
// simplified and vectorized without changing a bit. Only the payload of a NaN is unspecified.
// Eval is the reference, in plain Go.
//
// Whether an argument is a buffer or a scalar is decided by each call, and not by the program.
// A program has no loops, no branches and no state. It depends on the index of the element
// only through rand, which is a function of its operands and the index.
//
// # Text
//
// Expressions have the operators and the precedences of Go, and the functions below. Types are
// float32, uint32 and bool; they are never converted implicitly. The operands of && and || and
// the branches of where are all computed.
//
// Constants are those of Go: exact without a type, and rounded once where they meet one. A
// constant that is not converted is float32 if no operand says otherwise. As in Go, 1/3 divides
// integers and is 0; write 1.0/3. There is no constant -0: -0.0 is +0.
//
// # Derivatives
//
// Partial returns the program of a partial derivative, and Backward that of a gradient, which
// backpropagation needs. The derivative of a select is a select: the branch that gave the value
// gives the derivative, so that of max(x, 0) is 0 at 0, and that of where(x >= 0, x, s*x) is 1.
// What does not depend on the argument has no derivative: nothing is multiplied by 0. Saved
// returns, for a piecewise linear function, programs that keep one bit for Backward.
//
// # Operations
//
// In these tables, x, y and z are float32, u and v are uint32, and c, d and e are bool. Results
// of type float32 are rounded to nearest even where they are not exact.
//
//	-x                  float32  x with the other sign
//	x + y               float32  the sum
//	x - y               float32  the difference
//	x * y               float32  the product
//	x / y               float32  the quotient
//	fma(x, y, z)        float32  x*y + z, rounded once
//	sqrt(x)             float32  the square root: NaN for x < 0, x for a zero
//	abs(x)              float32  x without its sign
//	copysign(x, y)      float32  x with the sign of y; a NaN counts as positive
//	min(x, y)           float32  where(x < y, x, y), so y if one is NaN
//	max(x, y)           float32  where(x > y, x, y), so y if one is NaN
//	floor(x)            float32  x rounded to an integer, toward -Inf
//	ceil(x)             float32  x rounded to an integer, toward +Inf
//	trunc(x)            float32  x rounded to an integer, toward zero
//	rint(x)             float32  x rounded to an integer, to nearest even
//	x == y              bool     whether x equals y: false if one is NaN, true for zeros
//	x < y               bool     whether x is less: false if one is NaN
//	x <= y              bool     whether x is less or equal: false if one is NaN
//	where(c, x, y)      float32  x if c is true, otherwise y
//	c && d              bool     whether both are true
//	c || d              bool     whether one is true
//	!c                  bool     whether c is false
//	u + v               uint32   the sum modulo 1<<32; likewise for - * <<
//	u - v               uint32   the difference
//	u * v               uint32   the product
//	u & v               uint32   the bits set in both
//	u | v               uint32   the bits set in one or both
//	u ^ v               uint32   the bits set in one
//	u << v              uint32   u shifted left by the constant v, at most 31
//	u >> v              uint32   u shifted right by the constant v, at most 31
//	u == v              bool     whether u equals v
//	u < v               bool     whether u is less
//	where(c, u, v)      uint32   u if c is true, otherwise v
//	float32(u)          float32  u, rounded to nearest even
//	uint32(x)           uint32   x rounded toward zero: 0 below 0 and for NaN, 1<<32 - 1 above
//	bits(x)             uint32   the bits of x, as math.Float32bits: 0x7fc00000 for every NaN
//	frombits(u)         float32  the float32 with the bits u
//	randbits(u, v)      uint32   random bits, of the key (u, v) and the index of the element
//
// The following are defined by others.
//
//	x != y              bool     !(x == y)
//	x > y               bool     y < x
//	x >= y              bool     y <= x
//	u != v              bool     !(u == v)
//	u > v               bool     v < u
//	u <= v              bool     !(v < u)
//	u >= v              bool     !(u < v)
//	c == d              bool     !(c != d)
//	c != d              bool     c && !d || !c && d
//	where(c, d, e)      bool     c && d || !c && e
//	-u                  uint32   0 - u
//	^u                  uint32   u ^ 0xffffffff
//	u &^ v              uint32   u & ^v
//	min(u, v)           uint32   where(u < v, u, v)
//	max(u, v)           uint32   where(u < v, v, u)
//	rand(u, v)          float32  float32(randbits(u, v)>>8) / (1<<24), uniform in [0, 1)
//	float32(x)          float32  x
//	uint32(u)           uint32   u
//	bool(c)             bool     c
//
// The random bits are the first word of threefry2x32 with 20 rounds (Salmon and others,
// "Parallel Random Numbers: As Easy as 1, 2, 3", 2011). The key is (u, v), and the counter the
// index of the element as a 64-bit integer, low word first. Give each step of a computation
// another v, and each use within a step another u.
//
// The following functions are correctly rounded. At infinities they return their limits, and a
// zero has the sign of the side from which it is approached.
//
//	exp(x)              e^x
//	expm1(x)            e^x - 1
//	log(x)              the natural logarithm of x: -Inf for a zero, NaN for x < 0
//	log1p(x)            log(1 + x): -Inf for -1, NaN for x < -1
//	tanh(x)             the hyperbolic tangent of x
//	sigmoid(x)          1 / (1 + e^-x)
//	logSigmoid(x)       -log(1 + e^-x)
//	erf(x)              the error function of x
//	softplus(x)         log(1 + e^x)
//	silu(x)             x / (1 + e^-x): -0 at -Inf
//	gelu(x)             x * (1 + erf(x/sqrt(2))) / 2: -0 at -Inf
//	geluTanh(x)         x * (1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3))) / 2: -0 at -Inf
//	mish(x)             x * tanh(log(1 + e^x)): -0 at -Inf
//	softsign(x)         x / (1 + |x|)
//	log1pPrime(x)       1 / (1 + x): +Inf at -1
//	tanhPrime(x)        1 / cosh(x)^2
//	sigmoidPrime(x)     e^-x / (1 + e^-x)^2
//	erfPrime(x)         2/sqrt(pi) * e^(-x*x)
//	siluPrime(x)        the derivative of silu: -0 at -Inf
//	geluPrime(x)        the derivative of gelu: -0 at -Inf
//	geluTanhPrime(x)    the derivative of geluTanh: -0 at -Inf
//	mishPrime(x)        the derivative of mish: -0 at -Inf
//	softsignPrime(x)    1 / (1 + |x|)^2
//
// The derivatives, with dx, dy and dz for those of the operands, and r for the result:
//
//	-x                  -dx
//	x + y               dx + dy
//	x - y               dx - dy
//	x * y               y*dx + x*dy
//	x / y               (dx - r*dy) / y
//	fma(x, y, z)        y*dx + x*dy + dz
//	sqrt(x)             dx / (r + r)
//	abs(x)              where(x < 0, -dx, dx)
//	copysign(x, y)      dx if the signs of x and y are equal, otherwise -dx
//	min(x, y)           where(x < y, dx, dy)
//	max(x, y)           where(x > y, dx, dy)
//	where(c, x, y)      where(c, dx, dy)
//	exp(x)              r * dx
//	expm1(x)            exp(x) * dx
//	log(x)              dx / x
//	log1p(x)            log1pPrime(x) * dx
//	tanh(x)             tanhPrime(x) * dx
//	sigmoid(x)          sigmoidPrime(x) * dx
//	logSigmoid(x)       sigmoid(-x) * dx
//	erf(x)              erfPrime(x) * dx
//	softplus(x)         sigmoid(x) * dx
//	silu(x)             siluPrime(x) * dx
//	gelu(x)             geluPrime(x) * dx
//	geluTanh(x)         geluTanhPrime(x) * dx
//	mish(x)             mishPrime(x) * dx
//	softsign(x)         softsignPrime(x) * dx
//	log1pPrime(x)       -(r*r) * dx
//	tanhPrime(x)        -2*tanh(x)*r * dx
//	sigmoidPrime(x)     r*(1 - 2*sigmoid(x)) * dx
//	erfPrime(x)         -2*x*r * dx, 0 where |x| >= 16
//	siluPrime(x)        the second derivative * dx, by exact and rounded operations
//	geluPrime(x)        likewise
//	geluTanhPrime(x)    likewise
//	mishPrime(x)        likewise
//	softsignPrime(x)    copysign(2, -x)*r/(1 + abs(x)) * dx
//
// All other operations have the derivative 0, even where their value jumps.
package expr
