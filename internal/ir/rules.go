package ir

// The rules of differentiation: each returns the derivative of the result r, from the operands
// x and their derivatives dx, of which at least one is not zero. The table has them in words.

func deriveNeg(d *deriver, _ Value, _, dx []Value) Value { return d.neg(dx[0]) }
func deriveAdd(d *deriver, _ Value, _, dx []Value) Value { return d.add(dx[0], dx[1]) }
func deriveSub(d *deriver, _ Value, _, dx []Value) Value { return d.sub(dx[0], dx[1]) }

func deriveMul(d *deriver, _ Value, x, dx []Value) Value {
	return d.add(d.mul(dx[0], x[1]), d.mul(dx[1], x[0]))
}

func deriveDiv(d *deriver, r Value, x, dx []Value) Value {
	return d.div(d.sub(dx[0], d.mul(dx[1], r)), x[1])
}

func deriveFMA(d *deriver, r Value, x, dx []Value) Value {
	return d.add(deriveMul(d, r, x, dx), dx[2])
}

func deriveSqrt(d *deriver, r Value, _, dx []Value) Value {
	return d.div(dx[0], d.Op(AddF32, r, r))
}

func deriveAbs(d *deriver, _ Value, x, dx []Value) Value {
	return d.where(d.Op(LtF32, x[0], d.Float32(0)), d.neg(dx[0]), dx[0])
}

func deriveCopysign(d *deriver, _ Value, x, dx []Value) Value {
	signs := d.Op(XorU32, d.Op(Bits, x[0]), d.Op(Bits, x[1]))
	return d.where(d.Op(LtU32, signs, d.Const(U32, sign)), dx[0], d.neg(dx[0]))
}

func deriveMin(d *deriver, _ Value, x, dx []Value) Value {
	return d.where(d.Op(LtF32, x[0], x[1]), dx[0], dx[1])
}

func deriveMax(d *deriver, _ Value, x, dx []Value) Value {
	return d.where(d.Op(LtF32, x[1], x[0]), dx[0], dx[1])
}

func deriveWhere(d *deriver, _ Value, x, dx []Value) Value { return d.where(x[0], dx[1], dx[2]) }

func deriveExp(d *deriver, r Value, _, dx []Value) Value { return d.mul(dx[0], r) }
func deriveLog(d *deriver, _ Value, x, dx []Value) Value { return d.div(dx[0], x[0]) }

func deriveLogSigmoid(d *deriver, _ Value, x, dx []Value) Value {
	return d.mul(dx[0], d.Op(Sigmoid, d.Op(NegF32, x[0])))
}

// deriveBy returns the rule of a function whose derivative is a function.
func deriveBy(prime Op) func(*deriver, Value, []Value, []Value) Value {
	return func(d *deriver, _ Value, x, dx []Value) Value { return d.mul(dx[0], d.Op(prime, x[0])) }
}

// The second derivatives of functions are compositions. Each is 0 far from zero, where its
// factors would be 0 and infinite.

func deriveLog1pPrime(d *deriver, r Value, _, dx []Value) Value {
	return d.mul(dx[0], d.Op(NegF32, d.Op(MulF32, r, r)))
}

func deriveTanhPrime(d *deriver, r Value, x, dx []Value) Value {
	return d.mul(dx[0], d.product(d.Float32(-2), d.Op(Tanh, x[0]), r))
}

func deriveSigmoidPrime(d *deriver, r Value, x, dx []Value) Value {
	return d.mul(dx[0], d.Op(MulF32, r, d.oneMinusTwo(d.Op(Sigmoid, x[0]))))
}

func deriveErfPrime(d *deriver, r Value, x, dx []Value) Value {
	return d.mul(dx[0], d.within(16, x[0], d.product(d.Float32(-2), x[0], r)))
}

// deriveSiLUPrime returns s'*(2 + x*(1-2s)) with s = sigmoid(x).
func deriveSiLUPrime(d *deriver, _ Value, x, dx []Value) Value {
	s, prime := d.Op(Sigmoid, x[0]), d.Op(SigmoidPrime, x[0])
	sum := d.Op(AddF32, d.Float32(2), d.Op(MulF32, x[0], d.oneMinusTwo(s)))
	return d.mul(dx[0], d.within(128, x[0], d.Op(MulF32, prime, sum)))
}

// deriveGELUPrime returns exp(-x*x/2)/sqrt(2*pi)*(2-x*x).
func deriveGELUPrime(d *deriver, _ Value, x, dx []Value) Value {
	square := d.Op(MulF32, x[0], x[0])
	density := d.Op(MulF32, d.Float32(0.3989422804014327), d.Op(Exp, d.Op(MulF32, d.Float32(-0.5), square)))
	return d.mul(dx[0], d.within(16, x[0], d.Op(MulF32, density, d.Op(SubF32, d.Float32(2), square))))
}

// deriveGELUTanhPrime returns s'*(2*v1 + x*((1-2s)*v1*v1 + v2)) with s = sigmoid(v), and v1
// and v2 the derivatives of v = 2*sqrt(2/pi)*(x + 0.044715*x*x*x).
func deriveGELUTanhPrime(d *deriver, _ Value, x, dx []Value) Value {
	const scale, cubic = 1.5957691216057308, 0.044715
	square := d.Op(MulF32, x[0], x[0])
	v := d.product(d.Float32(scale), x[0], d.Op(AddF32, d.Float32(1), d.Op(MulF32, d.Float32(cubic), square)))
	v1 := d.Op(AddF32, d.Float32(scale), d.Op(MulF32, d.Float32(3*scale*cubic), square))
	v2 := d.Op(MulF32, d.Float32(6*scale*cubic), x[0])
	s, prime := d.Op(Sigmoid, v), d.Op(SigmoidPrime, v)
	inner := d.Op(AddF32, d.product(d.oneMinusTwo(s), v1, v1), v2)
	sum := d.Op(AddF32, d.Op(MulF32, d.Float32(2), v1), d.Op(MulF32, x[0], inner))
	return d.mul(dx[0], d.within(16, x[0], d.Op(MulF32, prime, sum)))
}

// deriveMishPrime returns t'*(2s + x*(s' - 2*t*s*s)) with s = sigmoid(x) and
// t = tanh(softplus(x)).
func deriveMishPrime(d *deriver, _ Value, x, dx []Value) Value {
	s, prime, plus := d.Op(Sigmoid, x[0]), d.Op(SigmoidPrime, x[0]), d.Op(Softplus, x[0])
	inner := d.Op(SubF32, prime, d.product(d.Float32(2), d.Op(Tanh, plus), d.Op(MulF32, s, s)))
	sum := d.Op(AddF32, d.Op(MulF32, d.Float32(2), s), d.Op(MulF32, x[0], inner))
	return d.mul(dx[0], d.within(128, x[0], d.Op(MulF32, d.Op(TanhPrime, plus), sum)))
}

func deriveSoftsignPrime(d *deriver, r Value, x, dx []Value) Value {
	two := d.Op(Copysign, d.Float32(2), d.Op(NegF32, x[0]))
	below := d.Op(AddF32, d.Float32(1), d.Op(Abs, x[0]))
	return d.mul(dx[0], d.Op(DivF32, d.Op(MulF32, two, r), below))
}

// product returns x*y*z.
func (d *deriver) product(x, y, z Value) Value {
	return d.Op(MulF32, d.Op(MulF32, x, y), z)
}

// oneMinusTwo returns 1-2s.
func (d *deriver) oneMinusTwo(s Value) Value {
	return d.Op(SubF32, d.Float32(1), d.Op(MulF32, d.Float32(2), s))
}

// within returns v where |x| < limit or x is NaN, and 0 elsewhere.
func (d *deriver) within(limit float32, x, v Value) Value {
	return d.Op(WhereF32, d.Op(LeF32, d.Float32(limit), d.Op(Abs, x)), d.Float32(0), v)
}
