package expr

import (
	"fmt"
	"go/token"

	"github.com/gmind-go/compute/internal/ir"
)

// A Builder makes a program by calls, for programs that make programs. The first error is
// kept, and returned by Program; the values that follow it mean nothing.
type Builder struct {
	b     ir.Builder
	name  string
	names map[string]bool
	err   error
}

// A Value is what an argument, a constant or an operation of a Builder stands for. It is of
// use to that Builder alone.
type Value struct {
	b *Builder
	v ir.Value
}

// NewBuilder returns a Builder of a program with the name.
func NewBuilder(name string) *Builder {
	b := &Builder{name: name, names: map[string]bool{}}
	if !token.IsIdentifier(name) {
		b.fail("%q is not a name of a program", name)
	}
	return b
}

// fail keeps the first error.
func (b *Builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("expr: "+format, args...)
	}
}

// declare checks the name of an argument or a result.
func (b *Builder) declare(name string) {
	switch err := checkName(name); {
	case !token.IsIdentifier(name):
		b.fail("%q is not a name", name)
	case err != nil:
		b.fail("%w", err)
	case b.names[name]:
		b.fail("%s is declared twice", name)
	}
	b.names[name] = true
}

// Arg adds an argument.
func (b *Builder) Arg(name string, t Type) Value {
	b.declare(name)
	if t > Bool {
		b.fail("the argument %s has no type", name)
		t = Float32
	}
	return Value{b, b.b.Arg(name, ir.Type(t))}
}

// Float32 returns a constant.
func (b *Builder) Float32(x float32) Value { return Value{b, b.b.Float32(x)} }

// Uint32 returns a constant.
func (b *Builder) Uint32(x uint32) Value { return Value{b, b.b.Const(ir.U32, uint64(x))} }

// Bool returns a constant.
func (b *Builder) Bool(c bool) Value {
	if c {
		return Value{b, b.b.Const(ir.Bool, 1)}
	}
	return Value{b, b.b.Const(ir.Bool, 0)}
}

// Op returns an operation of the package's table, under the operator or the function name that
// text has for it: b.Op("+", x, y) or b.Op("exp", x).
func (b *Builder) Op(name string, operands ...Value) Value {
	values, ok := b.own(name, operands)
	if !ok {
		return Value{b, b.b.Float32(0)}
	}
	ops := ir.Named(name)
	for _, op := range ops {
		if b.fits(op, values) {
			return Value{b, b.b.Op(op, values...)}
		}
	}
	if len(ops) == 0 {
		b.fail("%s is not an operation%s", name, meant(name, ir.Functions()))
	} else {
		types := make([]ir.Type, len(values))
		for i, v := range values {
			types[i] = b.b.Type(v)
		}
		b.fail("%s has no operands %v", name, types)
	}
	return Value{b, b.b.Float32(0)}
}

// own returns the values of b among the operands, and whether all are.
func (b *Builder) own(name string, operands []Value) ([]ir.Value, bool) {
	values := make([]ir.Value, len(operands))
	for i, o := range operands {
		if o.b != b {
			b.fail("operand %d of %s is not of this Builder", i+1, name)
			return nil, false
		}
		values[i] = o.v
	}
	return values, true
}

// fits reports whether the values may be the operands of the operation.
func (b *Builder) fits(op ir.Op, values []ir.Value) bool {
	info := op.Info()
	if len(values) != len(info.In) {
		return false
	}
	for i, v := range values {
		if b.b.Type(v) != info.In[i] {
			return false
		}
	}
	return !info.Counts || b.b.IsConst(values[1]) && b.b.Bits(values[1]) < 32
}

// Call returns the results of a program, for other arguments than its own.
func (b *Builder) Call(p *Program, args ...Value) []Value {
	if err := p.Err(); err != nil {
		if b.err == nil {
			b.err = err
		}
		return nil
	}
	results := make([]Value, len(p.ir.Results))
	for i := range results {
		results[i] = Value{b, b.b.Float32(0)}
	}
	values, ok := b.own(p.ir.Name, args)
	if !ok {
		return results
	}
	if len(args) != len(p.ir.Args) {
		b.fail("%s has %d arguments and not %d", p.ir.Name, len(p.ir.Args), len(args))
		return results
	}
	for i, a := range p.ir.Args {
		if t := b.b.Type(values[i]); t != a.Type {
			b.fail("the argument %s of %s is %v and should be %v", a.Name, p.ir.Name, t, a.Type)
			return results
		}
	}
	nodes := b.b.Inline(p.ir, values)
	for i, r := range p.ir.Results {
		results[i].v = nodes[r.Value]
	}
	return results
}

// Result adds a result.
func (b *Builder) Result(name string, v Value) {
	b.declare(name)
	if values, ok := b.own(name, []Value{v}); ok {
		b.b.Result(name, values[0])
	}
}

// Program returns the program, or the first error.
func (b *Builder) Program() (*Program, error) {
	if b.err != nil {
		return nil, b.err
	}
	raw := b.b.Program(b.name)
	if len(raw.Results) == 0 {
		return nil, fmt.Errorf("expr: %s has no result", b.name)
	}
	p, err := finish(raw)
	if err != nil {
		return nil, fmt.Errorf("expr: %w", err)
	}
	return p, nil
}
