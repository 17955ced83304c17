package expr

import (
	"errors"
	"fmt"

	"github.com/gmind-go/compute/internal/ir"
)

// The limits of a program. Parse, Builder.Program, Partial and Backward refuse what exceeds
// them, and say by how much.
const (
	MaxBuffers = 16  // results, and arguments that are buffers in a call
	MaxScalars = 16  // arguments that are scalars in a call
	MaxNodes   = 512 // operations that are left after simplification
)

// A Type is the type of an argument or a result.
type Type uint8

// The types. They have the numbers of package ir.
const (
	Float32 = Type(ir.F32)
	Uint32  = Type(ir.U32)
	Bool    = Type(ir.Bool)
)

// String returns the name of the type in Go.
func (t Type) String() string { return ir.Type(t).String() }

// A Param is an argument or a result of a program.
type Param struct {
	Name string
	Type Type
}

// A Program is a function of one element: its results depend on its arguments at that
// element, and nothing else but the element's index, which rand uses. It is immutable, so it
// may be used by several goroutines at once. Parse and Builder make programs.
type Program struct {
	ir       *ir.Program
	err      error               // why ir is nil
	partials map[string]*Program // by argument: see WithPartial
}

// errZero is the error of the zero Program.
var errZero = errors.New("expr: the zero Program is no program; use Parse or Builder")

// Err returns nil if p is a program. Otherwise it returns the reason why Partial, Backward or
// WithPartial could not make it; whatever is given such a Program returns this error.
func (p *Program) Err() error {
	switch {
	case p == nil:
		return errZero
	case p.err == nil && p.ir == nil:
		return errZero
	}
	return p.err
}

// failed returns a Program that is only an error.
func failed(format string, args ...any) *Program {
	return &Program{err: fmt.Errorf("expr: "+format, args...)}
}

// IR returns the operations of p, or nil if Err does not. It is for the backends of this
// module, and not to be changed.
func (p *Program) IR() *ir.Program {
	if p == nil {
		return nil
	}
	return p.ir
}

// FromIR returns the program with the operations of p. It is for the backends of this module.
func FromIR(p *ir.Program) *Program { return &Program{ir: p} }

// Name returns the name of the program.
func (p *Program) Name() string {
	if p.Err() != nil {
		return ""
	}
	return p.ir.Name
}

// Args returns the arguments, in their order.
func (p *Program) Args() []Param {
	if p.Err() != nil {
		return nil
	}
	args := make([]Param, len(p.ir.Args))
	for i, a := range p.ir.Args {
		args[i] = Param{a.Name, Type(a.Type)}
	}
	return args
}

// Results returns the results, in their order. A result that the text does not name is y, or
// y1, y2 and so on if there are several.
func (p *Program) Results() []Param {
	if p.Err() != nil {
		return nil
	}
	results := make([]Param, len(p.ir.Results))
	for i, r := range p.ir.Results {
		results[i] = Param{r.Name, Type(p.ir.Nodes[r.Value].Type)}
	}
	return results
}

// Equal reports whether p and q have the same String.
func (p *Program) Equal(q *Program) bool {
	return p.Err() == nil && q.Err() == nil && p.ir.Equal(q.ir)
}

// finish simplifies a program and checks its limits.
func finish(raw *ir.Program) (*Program, error) {
	p := ir.Simplify(raw)
	if n := p.Size(); n > MaxNodes {
		return nil, fmt.Errorf("%s has %d operations, and a program may have %d; split it", p.Name, n, MaxNodes)
	}
	if n := len(p.Results); n > MaxBuffers {
		return nil, fmt.Errorf("%s has %d results, and a program may have %d; split it", p.Name, n, MaxBuffers)
	}
	if n := len(p.Args); n > MaxBuffers+MaxScalars {
		return nil, fmt.Errorf("%s has %d arguments, and a program may have %d buffers and %d scalars; split it", p.Name, n, MaxBuffers, MaxScalars)
	}
	return &Program{ir: p}, nil
}
