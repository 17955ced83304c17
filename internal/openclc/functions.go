package openclc

import (
	"errors"
	"fmt"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/libm"
)

// HasFunction reports whether k calls a function, so that Options.Doubles and Quick matter.
func HasFunction(k *kernel.Kernel) bool {
	for _, n := range k.Body.Nodes {
		if n.Op.Info().Function {
			return true
		}
	}
	return false
}

func functionName(op ir.Op) string { return "fn_" + op.Info().Name }

// functions prints the functions that the kernel calls, each once.
func (p *printer) functions() error {
	printed := p.o.Printed
	if printed == nil {
		printed = map[ir.Op]bool{}
	}
	for _, n := range p.k.Body.Nodes {
		if !n.Op.Info().Function || printed[n.Op] {
			continue
		}
		printed[n.Op] = true
		if err := p.function(n.Op); err != nil {
			return err
		}
	}
	return nil
}

// function prints a function of vectors: by its body, or by its quick body and, for elements
// whose result that is not sure of, by its body.
func (p *printer) function(op ir.Op) error {
	body, quick := libm.Body(op), libm.Quick(op)
	if body == nil {
		return fmt.Errorf("%s on OpenCL: %w", op.Info().Name, errors.ErrUnsupported)
	}
	name := functionName(op)
	exactly := name + "_exactly"
	switch {
	case quick == nil || !p.o.Quick:
		if p.o.Doubles {
			return p.inDouble(name, body)
		}
		if err := p.inIntegers(exactly, body); err != nil {
			return err
		}
		p.begin(name)
		p.line(1, "uint v[WIDTH];")
		p.line(1, "ANY_STORE(AS_UINTS(x), v);")
		p.line(1, "EACH_LANE v[j] = %s(v[j]);", exactly)
		p.line(1, "return AS_FLOATS(ANY_LOAD(v));")
		p.end()
		return nil
	case p.o.Doubles:
		if err := p.inDouble(exactly, body); err != nil {
			return err
		}
		y, sure, err := p.quickly(name, quick)
		if err != nil {
			return err
		}
		p.line(1, "return all(%[1]s) ? %[2]s : select(%[3]s, %[2]s, %[1]s);", sure, y, p.call(exactly, "x"))
	default:
		if err := p.inIntegers(exactly, body); err != nil {
			return err
		}
		y, sure, err := p.quickly(name, quick)
		if err != nil {
			return err
		}
		p.line(1, "UINTS result = AS_UINTS(%s);", y)
		p.line(1, "if (!all(%s)) {", sure)
		p.line(2, "uint from[WIDTH], to[WIDTH];")
		p.line(2, "int done[WIDTH];")
		p.line(2, "ANY_STORE(AS_UINTS(x), from);")
		p.line(2, "ANY_STORE(result, to);")
		p.line(2, "ANY_STORE(%s, done);", sure)
		p.line(2, "EACH_LANE if (!done[j]) to[j] = %s(from[j]);", exactly)
		p.line(2, "result = ANY_LOAD(to);")
		p.line(1, "}")
		p.line(1, "return AS_FLOATS(result);")
	}
	p.end()
	return nil
}

// inDouble prints a function of vectors from its body.
func (p *printer) inDouble(name string, body *ir.Program) error {
	p.begin(name)
	values, err := p.statements(1, rounded, body, func(int) value { return value{text: "x"} })
	if err != nil {
		return err
	}
	p.line(1, "return %s;", values[body.Results[0].Value].vector(ir.F32))
	p.end()
	return nil
}

// quickly prints the begin of a function of vectors: its quick body. It returns how to refer to
// the result and to whether it is sure.
func (p *printer) quickly(name string, quick *ir.Program) (y, sure string, err error) {
	p.begin(name)
	values, err := p.statements(1, guessed, quick, func(int) value { return value{text: "x"} })
	if err != nil {
		return "", "", err
	}
	y = values[quick.Results[0].Value].vector(ir.F32)
	sure = values[quick.Results[1].Value].vector(ir.Bool)
	return y, sure, nil
}

// begin and end print what is around the statements of a function of vectors.
func (p *printer) begin(name string) {
	zero := ""
	if p.o.Guarded {
		zero = ", const uint zero"
	}
	p.line(0, "static inline FLOATS %s(const FLOATS x%s)", name, zero)
	p.line(0, "{")
}
func (p *printer) end() { p.out.WriteString("}\n\n") }

// call returns a call of such a function.
func (p *printer) call(name, argument string) string {
	if p.o.Guarded {
		return fmt.Sprintf("%s(%s, zero)", name, argument)
	}
	return fmt.Sprintf("%s(%s)", name, argument)
}
