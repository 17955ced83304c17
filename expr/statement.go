package expr

import (
	"go/ast"
	"go/token"
	"strings"

	"github.com/gmind-go/compute/internal/ir"
)

// body parses the statements of a function with results of the types.
func (p *parse) body(body *ast.BlockStmt, types []ir.Type) error {
	for i, statement := range body.List {
		switch s := statement.(type) {
		case *ast.AssignStmt:
			if err := p.assign(s); err != nil {
				return err
			}
		case *ast.ReturnStmt:
			if i+1 < len(body.List) {
				return p.errorf(body.List[i+1], "the program goes on after its return")
			}
			return p.finishBody(s, types)
		default:
			return p.errorf(s, "%s", unknownStatement(s))
		}
	}
	return errorAt(p.text, p.offset(body.Rbrace), "a return is missing")
}

// unknownStatement returns why a program cannot have a statement, and what to write instead.
func unknownStatement(s ast.Stmt) string {
	switch s.(type) {
	case *ast.IfStmt, *ast.SwitchStmt:
		return "a program has no branches; use where(condition, a, b)"
	case *ast.ForStmt, *ast.RangeStmt, *ast.LabeledStmt, *ast.BranchStmt:
		return "a program has no loops and no jumps"
	case *ast.DeclStmt:
		return "a program has no declarations; write name := value"
	case *ast.ExprStmt:
		return "the value is not used; assign it"
	}
	return "this is not a statement of programs, which are assignments and a return"
}

// assign parses an assignment. All values are computed before the first variable changes.
func (p *parse) assign(s *ast.AssignStmt) error {
	if len(s.Lhs) != len(s.Rhs) {
		return p.errorf(s, "%d values for %d variables", len(s.Rhs), len(s.Lhs))
	}
	names := make([]*ast.Ident, len(s.Lhs))
	values := make([]operand, len(s.Lhs))
	fresh := false
	for i, left := range s.Lhs {
		name, ok := left.(*ast.Ident)
		if !ok {
			return p.errorf(left, "%s is not a variable", p.source(left))
		}
		names[i] = name
		v := p.variables[name.Name]
		fresh = fresh || v == nil
		if v == nil && s.Tok != token.DEFINE {
			return p.errorf(name, "%s is not declared%s", name.Name, p.meantVariable(name.Name, " := declares it"))
		}
		var err error
		switch s.Tok {
		case token.ASSIGN, token.DEFINE:
			values[i], err = p.expression(s.Rhs[i])
		default: // such as +=
			values[i], err = p.update(s, name)
		}
		if err != nil {
			return err
		}
		t := values[i].typeOrDefault()
		if v != nil {
			t = v.t
		}
		if values[i], err = p.as(values[i], t, s.Rhs[i]); err != nil {
			return err
		}
	}
	if s.Tok == token.DEFINE && !fresh {
		return p.errorf(s, "no new variable on the left of :=; write =")
	}
	for i, name := range names {
		v := p.variables[name.Name]
		if v == nil {
			v = &variable{}
			if err := p.declare(name, v); err != nil {
				return err
			}
		}
		v.operand, v.assigned = values[i], true
	}
	return nil
}

// update returns the value of an assignment such as x += y.
func (p *parse) update(s *ast.AssignStmt, name *ast.Ident) (operand, error) {
	op := strings.TrimSuffix(s.Tok.String(), "=")
	x, err := p.expression(name)
	if err != nil {
		return operand{}, err
	}
	y, err := p.expression(s.Rhs[0])
	if err != nil {
		return operand{}, err
	}
	return p.apply(s, op, []operand{x, y}, []ast.Expr{name, s.Rhs[0]})
}

// meantVariable returns what a variable's name may have been meant to be, or the hint.
func (p *parse) meantVariable(name, hint string) string {
	var names []string
	for n := range p.variables {
		names = append(names, n)
	}
	if m := meant(name, names); m != "" {
		return m
	}
	return ";" + hint
}

// finishBody parses the return and sets the results.
func (p *parse) finishBody(s *ast.ReturnStmt, types []ir.Type) error {
	if len(p.results) == 0 {
		p.results = p.unnamed(len(types))
	} else if len(s.Results) == 0 {
		for _, name := range p.results {
			v := p.variables[name]
			if !v.assigned {
				return p.errorf(s, "the result %s has no value", name)
			}
			p.Result(name, v.v)
		}
		return p.unused()
	}
	if len(s.Results) != len(types) {
		return p.errorf(s, "%d values for %d results", len(s.Results), len(types))
	}
	for i, e := range s.Results {
		v, err := p.value(e, types[i])
		if err != nil {
			return err
		}
		p.Result(p.results[i], v)
	}
	return p.unused()
}

// unused returns an error for the first variable that is not used.
func (p *parse) unused() error {
	first, at := "", len(p.text)
	for name, v := range p.variables {
		if !v.used && v.at < at {
			first, at = name, v.at
		}
	}
	if first == "" {
		return nil
	}
	return errorAt(p.text, at, "%s is not used", first)
}
