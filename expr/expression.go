package expr

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"

	"github.com/gmind-go/compute/internal/ir"
)

// An operand is the value of an expression: a value of the program, or a constant.
type operand struct {
	t ir.Type
	v ir.Value
	c constant.Value // nil, if it is no constant

	// untyped is set for a constant without a type.
	untyped bool
}

// typeOrDefault returns the type of the operand: for an untyped constant, bool or float32.
func (o operand) typeOrDefault() ir.Type {
	switch {
	case !o.untyped:
		return o.t
	case o.c.Kind() == constant.Bool:
		return ir.Bool
	}
	return ir.F32
}

// fits reports whether the operand may be an operand of the type, if constants of any value
// may be numbers of any type.
func (o operand) fits(t ir.Type) bool {
	if o.untyped {
		return (o.c.Kind() == constant.Bool) == (t == ir.Bool)
	}
	return o.t == t
}

// as returns the operand as a value of the type.
func (p *parse) as(o operand, t ir.Type, at ast.Expr) (operand, error) {
	switch {
	case !o.fits(t):
		at = ast.Unparen(at)
		return operand{}, p.errorf(at, "%s is %v and should be %v%s", p.source(at), o.typeOrDefault(), t, p.conversion(o, t, at))
	case o.c == nil:
		return o, nil
	}
	c, err := converted(o.c, t)
	if err != nil {
		return operand{}, p.errorf(at, "%v", err)
	}
	return operand{t: t, v: p.Const(t, bitsOf(c, t))}, nil
}

// conversion says how to convert an operand, if there is a way.
func (p *parse) conversion(o operand, t ir.Type, at ast.Expr) string {
	from := o.typeOrDefault()
	switch {
	case from != ir.Bool && t != ir.Bool:
		return fmt.Sprintf("; convert it: %v(%s)", t, p.source(at))
	case from == ir.Bool:
		return fmt.Sprintf("; choose a number by it: where(%s, 1, 0)", p.source(at))
	}
	return ""
}

// value parses an expression of the type.
func (p *parse) value(e ast.Expr, t ir.Type) (ir.Value, error) {
	o, err := p.expression(e)
	if err != nil {
		return 0, err
	}
	o, err = p.as(o, t, e)
	return o.v, err
}

// expression parses an expression.
func (p *parse) expression(e ast.Expr) (operand, error) {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return p.expression(e.X)
	case *ast.BasicLit:
		if e.Kind == token.INT || e.Kind == token.FLOAT {
			if c, err := typed(constant.MakeFromLiteral(e.Value, e.Kind, 0), nil); err == nil {
				return operand{c: c, untyped: true}, nil
			}
			return operand{}, p.errorf(e, "the constant is too large")
		}
	case *ast.Ident:
		return p.variable(e)
	case *ast.UnaryExpr:
		x, err := p.expression(e.X)
		if err != nil {
			return operand{}, err
		}
		if e.Op == token.ADD && (x.c == nil || number(x.c)) && x.typeOrDefault() != ir.Bool {
			return x, nil
		}
		return p.apply(e, e.Op.String(), []operand{x}, []ast.Expr{e.X})
	case *ast.BinaryExpr:
		x, err := p.expression(e.X)
		if err != nil {
			return operand{}, err
		}
		y, err := p.expression(e.Y)
		if err != nil {
			return operand{}, err
		}
		return p.apply(e, e.Op.String(), []operand{x, y}, []ast.Expr{e.X, e.Y})
	case *ast.CallExpr:
		return p.call(e)
	}
	return operand{}, p.errorf(e, "%s is not an expression of programs", p.source(e))
}
