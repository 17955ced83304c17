package expr

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/scanner"
	"go/token"
	"slices"
	"strings"

	"github.com/gmind-go/compute/internal/ir"
)

// maxText is how many bytes a text may have: far more than any program needs.
const maxText = 64 << 10

// Parse returns the program of a text. An error of the text is an *Error.
//
// The text is in Go's grammar, in one of two forms. The short one is the name, the arguments
// and the value, all of type float32:
//
//	silu(x, beta) = x * sigmoid(beta*x)
//
// The long one is a function. Arguments and results are of type float32, uint32 or bool, and
// the body consists of assignments and, at its end, a return:
//
//	func momentum(w, v, g, rate, mu float32) (w2, v2 float32) {
//		v2 = mu*v + g
//		w2 = w - rate*v2
//		return
//	}
func Parse(text string) (*Program, error) {
	if len(text) > maxText {
		return nil, errorAt(text, maxText, "the text has %d bytes, and may have %d", len(text), maxText)
	}
	head, tail := "package p;func _(){", "\n}"
	if rest := strings.TrimLeft(text, " \t\r\n"); strings.HasPrefix(rest, "func") && !nameByte(rest[4:]) {
		head, tail = "package p;", "\n"
	}
	p := &parse{text: text, head: len(head), variables: map[string]*variable{}}
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "", head+text+tail, parser.SkipObjectResolution)
	if err != nil {
		return nil, p.syntax(err)
	}
	p.base = files.File(file.Pos()).Base()
	if err := p.file(file, tail == "\n"); err != nil {
		return nil, err
	}
	program, err := finish(p.Program(p.name))
	if err != nil {
		return nil, errorAt(text, p.nameAt, "%v", err)
	}
	return program, nil
}

// MustParse is like Parse but panics if the text has an error. It simplifies the
// initialization of global variables.
func MustParse(text string) *Program {
	p, err := Parse(text)
	if err != nil {
		panic(err)
	}
	return p
}

// nameByte reports whether s starts with a byte that continues a name.
func nameByte(s string) bool {
	return s != "" && (s[0] == '_' || s[0] >= 0x80 || '0' <= s[0] && s[0] <= '9' || 'a' <= s[0]|0x20 && s[0]|0x20 <= 'z')
}

// A parse is the state of Parse.
type parse struct {
	ir.Builder
	text       string
	base, head int // of positions: what stands before the text
	name       string
	nameAt     int // an offset of the text
	variables  map[string]*variable
	results    []string
}

// A variable is an argument, a result or a local variable.
type variable struct {
	operand      // its value, if it has one
	at       int // where it is declared
	assigned bool
	used     bool
}

// syntax returns the first error of package parser.
func (p *parse) syntax(err error) error {
	list, ok := err.(scanner.ErrorList)
	if !ok || len(list) == 0 {
		return errorAt(p.text, 0, "%v", err)
	}
	return errorAt(p.text, list[0].Pos.Offset-p.head, "%s", list[0].Msg)
}

// offset returns the offset of a position in the text.
func (p *parse) offset(pos token.Pos) int { return int(pos) - p.base - p.head }

// errorf returns an error at a node.
func (p *parse) errorf(at ast.Node, format string, args ...any) error {
	return errorAt(p.text, p.offset(at.Pos()), format, args...)
}

// source returns the text of a node, in one line.
func (p *parse) source(n ast.Node) string {
	from, to := max(0, p.offset(n.Pos())), min(p.offset(n.End()), len(p.text))
	return strings.Join(strings.Fields(p.text[min(from, to):to]), " ")
}

// file parses a function, or the statement of the short form.
func (p *parse) file(file *ast.File, long bool) error {
	if len(file.Decls) == 0 {
		return errorAt(p.text, 0, "the text is empty; write f(x) = 2*x, for instance")
	}
	if len(file.Decls) > 1 {
		return p.errorf(file.Decls[1], "the text goes on after the program; parse one program at a time")
	}
	f, ok := file.Decls[0].(*ast.FuncDecl)
	switch {
	case !ok:
		return p.errorf(file.Decls[0], "the text is not a function")
	case long:
		return p.function(f)
	}
	return p.short(f.Body)
}

// short parses the short form, which Go's grammar takes for an assignment to a call.
func (p *parse) short(body *ast.BlockStmt) error {
	const form = "write name(arguments) = expression, or a func"
	if len(body.List) == 0 {
		return errorAt(p.text, 0, "the text is empty; %s", form)
	}
	if len(body.List) > 1 {
		return p.errorf(body.List[1], "the text goes on after the program; write a func with assignments and a return")
	}
	assign, ok := body.List[0].(*ast.AssignStmt)
	if !ok || assign.Tok != token.ASSIGN || len(assign.Lhs) != 1 || len(assign.Rhs) != 1 {
		return p.errorf(body.List[0], "this is not a program; %s", form)
	}
	call, ok := assign.Lhs[0].(*ast.CallExpr)
	if !ok {
		return p.errorf(assign.Lhs[0], "%s is not name(arguments); %s", p.source(assign.Lhs[0]), form)
	}
	name, ok := call.Fun.(*ast.Ident)
	if !ok {
		return p.errorf(call.Fun, "%s is not a name", p.source(call.Fun))
	}
	p.name, p.nameAt = name.Name, p.offset(name.Pos())
	if call.Ellipsis.IsValid() {
		return p.errorf(call, "the number of arguments is fixed; remove the dots")
	}
	for _, arg := range call.Args {
		ident, ok := arg.(*ast.Ident)
		if !ok {
			return p.errorf(arg, "%s is not the name of an argument", p.source(arg))
		}
		if err := p.argument(ident, ir.F32); err != nil {
			return err
		}
	}
	value, err := p.value(assign.Rhs[0], ir.F32)
	if err != nil {
		return err
	}
	p.Result(p.unnamed(1)[0], value)
	return nil
}

// unnamed returns the names of n results that the text does not name.
func (p *parse) unnamed(n int) []string {
	taken := func(name string) bool { return p.variables[name] != nil }
	if n == 1 {
		return []string{unnamed("y", taken)}
	}
	names := make([]string, n)
	for i := range names {
		names[i] = unnamed(fmt.Sprintf("y%d", i+1), taken)
	}
	return names
}

// unnamed returns the name, with as many underscores as it takes to be a new one.
func unnamed(name string, taken func(name string) bool) string {
	for taken(name) {
		name += "_"
	}
	return name
}

// function parses the long form.
func (p *parse) function(f *ast.FuncDecl) error {
	p.name, p.nameAt = f.Name.Name, p.offset(f.Name.Pos())
	switch {
	case f.Recv != nil:
		return p.errorf(f.Recv, "a program has no receiver")
	case f.Type.TypeParams != nil:
		return p.errorf(f.Type.TypeParams, "a program has no type parameters")
	case f.Type.Results.NumFields() == 0:
		return p.errorf(f.Name, "%s returns nothing; write its results after the arguments", p.name)
	case f.Body == nil:
		return p.errorf(f.Name, "%s has no body", p.name)
	}
	for _, field := range f.Type.Params.List {
		t, err := p.typeOf(field.Type)
		if err != nil {
			return err
		}
		if len(field.Names) == 0 {
			return p.errorf(field.Type, "the argument has no name")
		}
		for _, name := range field.Names {
			if err := p.argument(name, t); err != nil {
				return err
			}
		}
	}
	var types []ir.Type
	for _, field := range f.Type.Results.List {
		t, err := p.typeOf(field.Type)
		if err != nil {
			return err
		}
		for range max(1, len(field.Names)) {
			types = append(types, t)
		}
		for _, name := range field.Names {
			if err := p.declare(name, &variable{operand: operand{t: t}, used: true}); err != nil {
				return err
			}
			p.results = append(p.results, name.Name)
		}
	}
	return p.body(f.Body, types)
}

// typeOf returns the type that an expression names.
func (p *parse) typeOf(e ast.Expr) (ir.Type, error) {
	types := []string{"float32", "uint32", "bool"}
	if name, ok := e.(*ast.Ident); ok {
		if i := slices.Index(types, name.Name); i >= 0 {
			return ir.Type(i), nil
		}
	}
	hint := meant(p.source(e), types)
	if hint == "" {
		hint = "; use float32, uint32 or bool"
	}
	return 0, p.errorf(e, "%s is not a type of programs%s", p.source(e), hint)
}

// argument adds an argument.
func (p *parse) argument(name *ast.Ident, t ir.Type) error {
	v := &variable{assigned: true, used: true}
	if err := p.declare(name, v); err != nil {
		return err
	}
	v.operand = operand{t: t, v: p.Arg(name.Name, t)}
	return nil
}

// declare adds a variable.
func (p *parse) declare(name *ast.Ident, v *variable) error {
	if err := checkName(name.Name); err != nil {
		return p.errorf(name, "%v", err)
	}
	if p.variables[name.Name] != nil {
		return p.errorf(name, "%s is declared twice", name.Name)
	}
	v.at = p.offset(name.Pos())
	p.variables[name.Name] = v
	return nil
}

// checkName returns an error if a variable may not have the name.
func checkName(name string) error {
	switch {
	case name == "_":
		return fmt.Errorf("_ is not a name here")
	case name == "true" || name == "false" || len(ir.Named(name)) > 0:
		return fmt.Errorf("%s has a meaning in programs; choose another name", name)
	}
	return nil
}
