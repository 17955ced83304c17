package ir

import "math"

// Simplify returns a program with the same results, bit for bit, and at most as many
// operations. It computes what depends on constants alone, and applies identities that hold
// for every value: zeros of both signs, infinities, and NaN, whose payload is free.
//
// It does not reassociate, distribute or contract. It leaves x+0 (-0+0 is +0), x*0, x-x and
// x==x (of NaN and infinities) alone, and multiplies by 1/c only where that is exact.
func Simplify(p *Program) *Program {
	s := simplifier{}
	args := make([]Value, len(p.Args))
	for i, a := range p.Args {
		args[i] = s.Arg(a.Name, a.Type)
	}
	values := make([]Value, len(p.Nodes))
	for i, n := range p.Nodes {
		switch n.Op {
		case Arg:
			values[i] = args[n.Imm]
		case zero:
			values[i] = s.Float32(0)
		case one:
			values[i] = s.Float32(1)
		default:
			for j, x := range n.Operands() {
				n.In[j] = values[x]
			}
			values[i] = s.simplify(n)
		}
	}
	for _, r := range p.Results {
		s.Result(r.Name, values[r.Value])
	}
	return s.Program(p.Name)
}

type simplifier struct{ Builder }

// simplify returns a value equal to that of n, whose operands are simplified.
func (s *simplifier) simplify(n Node) Value {
	if v, ok := s.fold(n); ok {
		return v
	}
	x, y, z := n.In[0], n.In[1], n.In[2]
	var v Value
	var ok bool
	switch n.Op {
	case NegF32:
		v, ok = s.operand(x, NegF32) // --x is x
	case AddF32:
		v, ok = s.add(x, y)
	case SubF32:
		v, ok = s.sub(x, y)
	case MulF32:
		v, ok = s.mul(x, y)
	case DivF32:
		v, ok = s.div(x, y)
	case FMA:
		v, ok = s.fma(x, y, z)
	case Not:
		v, ok = s.operand(x, Not)
	case And:
		v, ok = s.bitwise(x, y, Bool, 1, 0)
	case Or:
		v, ok = s.bitwise(x, y, Bool, 0, 1)
	case AddU32, XorU32:
		v, ok = s.identity(x, y, U32, 0)
	case OrU32:
		v, ok = s.bitwise(x, y, U32, 0, math.MaxUint32)
	case AndU32:
		v, ok = s.bitwise(x, y, U32, math.MaxUint32, 0)
	case MulU32:
		v, ok = s.identity(x, y, U32, 1)
	case SubU32, ShlU32, ShrU32:
		v, ok = x, s.is(y, U32, 0)
	case WhereF32, WhereU32, WhereF64:
		v, ok = s.where(n)
	}
	if ok {
		return v
	}
	return s.node(n)
}

// fold computes n if its operands are constants.
func (s *simplifier) fold(n Node) (Value, bool) {
	info := &table[n.Op]
	if n.Op == Const || info.Indexed {
		return 0, false
	}
	var imm [3]uint64
	for i, x := range n.Operands() {
		if !s.IsConst(x) {
			return 0, false
		}
		imm[i] = s.nodes[x].Imm
	}
	return s.Const(n.Type, info.eval(imm[0], imm[1], imm[2])), true
}

// operand returns the operand of v if v is the operation.
func (s *simplifier) operand(v Value, op Op) (Value, bool) {
	return s.nodes[v].In[0], s.nodes[v].Op == op
}

// is reports whether v is a constant with the bits.
func (s *simplifier) is(v Value, t Type, bits uint64) bool {
	return s.nodes[v] == Node{Op: Const, Type: t, Imm: bits}
}

// isFloat32 reports whether v is the constant x. Zeros of different signs differ.
func (s *simplifier) isFloat32(v Value, x float32) bool { return s.is(v, F32, fromF32(x)) }

// identity returns the other operand if x or y is the neutral element of a commutative
// operation.
func (s *simplifier) identity(x, y Value, t Type, neutral uint64) (Value, bool) {
	switch {
	case s.is(y, t, neutral):
		return x, true
	case s.is(x, t, neutral):
		return y, true
	}
	return 0, false
}

// bitwise returns the result of && or || and the like if the operands are equal, or if one is
// neutral or decides the result.
func (s *simplifier) bitwise(x, y Value, t Type, neutral, decides uint64) (Value, bool) {
	switch {
	case x == y, s.is(x, t, decides):
		return x, true
	case s.is(y, t, decides):
		return y, true
	}
	return s.identity(x, y, t, neutral)
}

func (s *simplifier) add(x, y Value) (Value, bool) {
	if v, ok := s.identity(x, y, F32, sign); ok { // x + -0
		return v, true
	}
	if x == y {
		return s.op(MulF32, s.Float32(2), x), true
	}
	if v, ok := s.operand(y, NegF32); ok {
		return s.op(SubF32, x, v), true
	}
	if v, ok := s.operand(x, NegF32); ok {
		return s.op(SubF32, y, v), true
	}
	return 0, false
}

func (s *simplifier) sub(x, y Value) (Value, bool) {
	if v, ok := s.operand(y, NegF32); ok {
		return s.op(AddF32, x, v), true
	}
	return x, s.isFloat32(y, 0)
}

func (s *simplifier) mul(x, y Value) (Value, bool) {
	if v, ok := s.identity(x, y, F32, fromF32(1)); ok {
		return v, true
	}
	switch {
	case s.isFloat32(y, -1):
		return s.op(NegF32, x), true
	case s.isFloat32(x, -1):
		return s.op(NegF32, y), true
	}
	return 0, false
}

// div returns x/y as x times 1/y where y is a power of 2 and 1/y is normal: both are the
// same real value, rounded.
func (s *simplifier) div(x, y Value) (Value, bool) {
	if !s.IsConst(y) {
		return 0, false
	}
	c := toF32(s.nodes[y].Imm)
	fraction, exponent := math.Frexp(float64(c))
	if math.Abs(fraction) != 0.5 || exponent < -126 || exponent > 127 {
		return 0, false
	}
	return s.op(MulF32, x, s.Float32(1/c)), true
}

func (s *simplifier) fma(x, y, z Value) (Value, bool) {
	switch {
	case s.isFloat32(x, 1):
		return s.op(AddF32, y, z), true
	case s.isFloat32(y, 1):
		return s.op(AddF32, x, z), true
	case s.is(z, F32, sign):
		return s.op(MulF32, x, y), true
	}
	return 0, false
}

func (s *simplifier) where(n Node) (Value, bool) {
	c, x, y := n.In[0], n.In[1], n.In[2]
	switch {
	case x == y, s.is(c, Bool, 1):
		return x, true
	case s.is(c, Bool, 0):
		return y, true
	}
	if v, ok := s.operand(c, Not); ok {
		return s.op(n.Op, v, y, x), true
	}
	return 0, false
}

// op returns the operation, simplified.
func (s *simplifier) op(op Op, operands ...Value) Value {
	n := Node{Op: op, Type: table[op].Out}
	copy(n.In[:], operands)
	return s.simplify(n)
}
