package expr

import (
	"go/ast"
	"go/constant"
	"go/token"
	"slices"
	"strings"

	"github.com/gmind-go/compute/internal/ir"
)

// variable returns the value of a name.
func (p *parse) variable(name *ast.Ident) (operand, error) {
	if name.Name == "true" || name.Name == "false" {
		return operand{c: constant.MakeBool(name.Name == "true"), untyped: true}, nil
	}
	v := p.variables[name.Name]
	switch {
	case v == nil && len(ir.Named(name.Name)) > 0:
		return operand{}, p.errorf(name, "%s is a function; write its operands in parentheses", name.Name)
	case v == nil:
		return operand{}, p.errorf(name, "%s is not declared%s", name.Name, p.meantVariable(name.Name, " the arguments are "+p.arguments()))
	case !v.assigned:
		return operand{}, p.errorf(name, "%s has no value yet", name.Name)
	}
	v.used = true
	return v.operand, nil
}

// call parses a call of a function, or a conversion.
func (p *parse) call(e *ast.CallExpr) (operand, error) {
	name, ok := e.Fun.(*ast.Ident)
	if !ok {
		return operand{}, p.errorf(e.Fun, "%s is not a function of programs", p.source(e.Fun))
	}
	ops := ir.Named(name.Name)
	switch {
	case len(ops) == 0 && p.variables[name.Name] != nil:
		return operand{}, p.errorf(name, "%s is a variable and not a function; multiply by *", name.Name)
	case len(ops) == 0:
		return operand{}, p.errorf(name, "%s is not a function%s", name.Name, meant(name.Name, ir.Functions()))
	case e.Ellipsis.IsValid():
		return operand{}, p.errorf(e, "the number of operands is fixed; remove the dots")
	case len(e.Args) != len(ops[0].Info().In):
		return operand{}, p.errorf(e, "%s(%s) has %d operands here", name.Name, letters(len(ops[0].Info().In)), len(e.Args))
	}
	operands := make([]operand, len(e.Args))
	for i, arg := range e.Args {
		var err error
		if operands[i], err = p.expression(arg); err != nil {
			return operand{}, err
		}
	}
	if t := slices.Index([]string{"float32", "uint32", "bool"}, name.Name); t >= 0 && operands[0].c != nil {
		c, err := converted(operands[0].c, ir.Type(t))
		if err != nil {
			return operand{}, p.errorf(e.Args[0], "%v", err)
		}
		return operand{t: ir.Type(t), c: c}, nil
	}
	return p.apply(e, name.Name, operands, e.Args)
}

// apply returns an operation on operands, which stand at the expressions.
func (p *parse) apply(at ast.Node, name string, operands []operand, es []ast.Expr) (operand, error) {
	constants := true
	for _, o := range operands {
		constants = constants && o.c != nil
	}
	if op, ok := operators[name]; ok && constants {
		return p.fold(at, op, operands, es)
	}
	best, fitting := ir.Op(0), -1
	for _, op := range ir.Named(name) {
		if len(op.Info().In) != len(operands) {
			continue
		}
		fits := 0
		for i, o := range operands {
			if o.fits(op.Info().In[i]) {
				fits++
			}
		}
		if fits > fitting {
			best, fitting = op, fits
		}
	}
	if fitting < 0 {
		return operand{}, p.errorf(at, "%s is not an operator of programs", name)
	}
	info := best.Info()
	values := make([]ir.Value, len(operands))
	for i, o := range operands {
		if i == 1 && info.Counts && o.c == nil {
			return operand{}, p.errorf(es[i], "%s is not a constant, and a shift count must be one", p.source(es[i]))
		}
		o, err := p.as(o, info.In[i], es[i])
		if err != nil {
			return operand{}, err
		}
		values[i] = o.v
	}
	if info.Counts {
		if n, _ := constant.Uint64Val(constant.ToInt(operands[1].c)); n > 31 {
			return operand{}, p.errorf(es[1], "the shift count %d is not in 0 to 31", n)
		}
	}
	return operand{t: info.Out, v: p.Op(best, values...)}, nil
}

// operators has the operators that constants have.
var operators = map[string]token.Token{
	"+": token.ADD, "-": token.SUB, "*": token.MUL, "/": token.QUO, "!": token.NOT,
	"&": token.AND, "|": token.OR, "^": token.XOR, "&^": token.AND_NOT, "<<": token.SHL, ">>": token.SHR,
	"&&": token.LAND, "||": token.LOR, "==": token.EQL, "!=": token.NEQ,
	"<": token.LSS, "<=": token.LEQ, ">": token.GTR, ">=": token.GEQ,
}

// fold returns an operation on constants. If one has a type, the other gets it.
func (p *parse) fold(at ast.Node, op token.Token, operands []operand, es []ast.Expr) (operand, error) {
	x := operands[0]
	var t *ir.Type
	if op == token.SHL || op == token.SHR {
		operands[1].c = constant.ToInt(operands[1].c)
		operands[1].untyped, operands[1].t = x.untyped, x.t
	}
	for _, o := range operands {
		if !o.untyped && t == nil {
			t = &o.t
		}
	}
	if t != nil {
		for i, o := range operands {
			if !o.fits(*t) {
				return operand{}, p.errorf(es[i], "%s is %v and should be %v", p.source(es[i]), o.typeOrDefault(), *t)
			}
			c, err := converted(o.c, *t)
			if err != nil {
				return operand{}, p.errorf(es[i], "%v", err)
			}
			operands[i].c = c
		}
	}
	var c constant.Value
	var err error
	if len(operands) == 1 {
		c, err = foldUnary(op, operands[0].c, t)
	} else {
		c, err = foldBinary(op, operands[0].c, operands[1].c, t)
	}
	if err != nil {
		return operand{}, p.errorf(at, "%v", err)
	}
	if t == nil || c.Kind() == constant.Bool {
		return operand{c: c, untyped: true}, nil
	}
	return operand{t: *t, c: c}, nil
}

// arguments returns the names of the variables, for an error.
func (p *parse) arguments() string {
	var names []string
	for name, v := range p.variables {
		if v.assigned {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// letters returns the names of n operands.
func letters(n int) string { return "a, b, c"[:3*n-2] }
