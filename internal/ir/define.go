package ir

// Operations that are defined by others.

func same(_ *Builder, x []Value) Value { return x[0] }

// defineNeBool returns x && !y || !x && y.
func defineNeBool(b *Builder, x []Value) Value {
	return b.Op(Or, b.Op(And, x[0], b.Op(Not, x[1])), b.Op(And, b.Op(Not, x[0]), x[1]))
}

// defineWhereBool returns x && y || !x && z.
func defineWhereBool(b *Builder, x []Value) Value {
	return b.Op(Or, b.Op(And, x[0], x[1]), b.Op(And, b.Op(Not, x[0]), x[2]))
}

// defineRand returns the upper 24 bits of a random word as a fraction. It multiplies by 2^-24,
// which is as exact as to divide.
func defineRand(b *Builder, x []Value) Value {
	upper := b.Op(ShrU32, b.Op(RandBits, x...), b.Const(U32, 8))
	return b.Op(MulF32, b.Op(F32FromU32, upper), b.Float32(0x1p-24))
}
