package expr

import (
	"fmt"
	"go/constant"
	"go/token"
	"math"

	"github.com/gmind-go/compute/internal/ir"
)

// Constants are exact, as in Go, until they meet a type. maxBits bounds the integers among
// them.
const maxBits = 512

// converted returns the constant as one of the type: a float32 is rounded to nearest even, a
// uint32 must be exact.
func converted(c constant.Value, t ir.Type) (constant.Value, error) {
	switch t {
	case ir.F32:
		if x := constant.ToFloat(c); x.Kind() == constant.Float {
			f, _ := constant.Float32Val(x)
			if math.IsInf(float64(f), 0) {
				return nil, fmt.Errorf("the constant %v overflows float32", c)
			}
			return constant.ToFloat(constant.MakeFloat64(float64(f))), nil
		}
	case ir.U32:
		if x := constant.ToInt(c); x.Kind() == constant.Int {
			if u, exact := constant.Uint64Val(x); !exact || u > math.MaxUint32 {
				return nil, fmt.Errorf("the constant %v overflows uint32", c)
			}
			return x, nil
		} else if c.Kind() == constant.Float {
			return nil, fmt.Errorf("the constant %v is not an integer, as a uint32 is", c)
		}
	case ir.Bool:
		if c.Kind() == constant.Bool {
			return c, nil
		}
	}
	return nil, fmt.Errorf("the constant %v is not a %v", c, t)
}

// bitsOf returns the bits of a constant that was converted to the type.
func bitsOf(c constant.Value, t ir.Type) uint64 {
	switch t {
	case ir.F32:
		f, _ := constant.Float32Val(c)
		return uint64(math.Float32bits(f))
	case ir.U32:
		u, _ := constant.Uint64Val(c)
		return u
	}
	if constant.BoolVal(c) {
		return 1
	}
	return 0
}

// number reports whether a constant is an integer or a float.
func number(c constant.Value) bool {
	return c.Kind() == constant.Int || c.Kind() == constant.Float
}

// foldUnary returns the operation on a constant, of the type unless that is nil.
func foldUnary(op token.Token, x constant.Value, t *ir.Type) (constant.Value, error) {
	var width uint
	if t != nil && *t == ir.U32 {
		width = 32
	}
	switch {
	case op == token.NOT && x.Kind() == constant.Bool,
		(op == token.ADD || op == token.SUB) && number(x),
		op == token.XOR && x.Kind() == constant.Int:
		return typed(constant.UnaryOp(op, x, width), t)
	}
	return nil, fmt.Errorf("the constant %v has no operator %v", x, op)
}

// foldBinary returns the operation on constants of one type, which is nil for untyped ones.
func foldBinary(op token.Token, x, y constant.Value, t *ir.Type) (constant.Value, error) {
	bools := x.Kind() == constant.Bool && y.Kind() == constant.Bool
	numbers := number(x) && number(y)
	integers := x.Kind() == constant.Int && y.Kind() == constant.Int
	switch op {
	case token.LAND, token.LOR:
		if bools {
			return constant.BinaryOp(x, op, y), nil
		}
	case token.EQL, token.NEQ:
		if bools || numbers {
			return constant.MakeBool(constant.Compare(x, op, y)), nil
		}
	case token.LSS, token.LEQ, token.GTR, token.GEQ:
		if numbers {
			return constant.MakeBool(constant.Compare(x, op, y)), nil
		}
	case token.ADD, token.SUB, token.MUL:
		if numbers {
			return typed(constant.BinaryOp(x, op, y), t)
		}
	case token.QUO:
		if numbers && constant.Sign(y) == 0 {
			return nil, fmt.Errorf("the constant %v is divided by zero", x)
		}
		if integers {
			op = token.QUO_ASSIGN // which divides integers
		}
		if numbers {
			return typed(constant.BinaryOp(x, op, y), t)
		}
	case token.AND, token.OR, token.XOR, token.AND_NOT:
		if integers {
			return typed(constant.BinaryOp(x, op, y), t)
		}
	case token.SHL, token.SHR:
		if integers {
			n, exact := constant.Uint64Val(y)
			if !exact || n > maxBits {
				return nil, fmt.Errorf("the shift count %v is not in 0 to %d", y, maxBits)
			}
			return typed(constant.Shift(x, op, uint(n)), t)
		}
	}
	return nil, fmt.Errorf("the constants %v and %v have no operator %v", x, y, op)
}

// typed returns a constant that an operation made, of the type unless that is nil.
func typed(c constant.Value, t *ir.Type) (constant.Value, error) {
	switch {
	case t != nil:
		return converted(c, *t)
	case c.Kind() == constant.Int && constant.BitLen(c) > maxBits:
		return nil, fmt.Errorf("the constant has more than %d bits", maxBits)
	case c.Kind() == constant.Unknown:
		return nil, fmt.Errorf("the constant is too large")
	}
	return c, nil
}
