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
	printed := map[ir.Op]bool{}
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
	if !p.o.Quick {
		quick = nil
	}
	name := functionName(op)
	if p.o.Doubles && quick == nil {
		return p.whole("static inline FLOATS", name, vectors, "FLOATS", body)
	}
	exactly := name + "_exactly"
	var err error
	if p.o.Doubles {
		err = p.whole("static inline FLOATS", exactly, vectors, "FLOATS", body)
	} else { // of one element; many devices put a function wherever it is called
		err = p.whole("static __attribute__((noinline)) uint", exactly, integers, "uint", body)
	}
	if err != nil {
		return err
	}
	p.line(0, "static inline FLOATS %s", p.parameters(name, "FLOATS"))
	p.line(0, "{")
	if quick == nil {
		p.line(1, "uint v[WIDTH];")
		p.line(1, "ANY_STORE(AS_UINTS(x), v);")
		p.line(1, "EACH_LANE v[j] = %s;", p.call(exactly, "v[j]"))
		p.line(1, "return AS_FLOATS(ANY_LOAD(v));")
		p.end()
		return nil
	}
	values, err := p.statements(1, guesses, quick, func(int) value { return value{text: "x"} })
	if err != nil {
		return err
	}
	result := func(i int) string {
		v := quick.Results[i].Value
		return guesses.whole(values[v], quick.Nodes[v].Type)
	}
	y, sure := result(0), result(1)
	p.line(1, "if (all(%s)) return %s;", sure, y)
	if p.o.Doubles {
		p.line(1, "return select(%s, %s, %s);", p.call(exactly, "x"), y, sure)
		p.end()
		return nil
	}
	p.line(1, "uint from[WIDTH], to[WIDTH];")
	p.line(1, "int done[WIDTH];")
	p.line(1, "ANY_STORE(AS_UINTS(x), from);")
	p.line(1, "ANY_STORE(AS_UINTS(%s), to);", y)
	p.line(1, "ANY_STORE(%s, done);", sure)
	p.line(1, "EACH_LANE if (!done[j]) to[j] = %s;", p.call(exactly, "from[j]"))
	p.line(1, "return AS_FLOATS(ANY_LOAD(to));")
	p.end()
	return nil
}

// whole prints a function that consists of a program of one argument and one result.
func (p *printer) whole(result, name string, l *notation, argument string, program *ir.Program) error {
	p.line(0, "%s %s", result, p.parameters(name, argument))
	p.line(0, "{")
	values, err := p.statements(1, l, program, func(int) value { return value{text: "x"} })
	if err != nil {
		return err
	}
	v := program.Results[0].Value
	p.line(1, "return %s;", l.whole(values[v], program.Nodes[v].Type))
	p.end()
	return nil
}

// end prints the end of a function.
func (p *printer) end() { p.out.WriteString("}\n\n") }

// parameters returns the name of a function with its parameters, and call a call of it.
func (p *printer) parameters(name, argument string) string {
	if p.o.Guarded {
		return fmt.Sprintf("%s(const %s x, const uint zero)", name, argument)
	}
	return fmt.Sprintf("%s(const %s x)", name, argument)
}

func (p *printer) call(name, argument string) string {
	if p.o.Guarded {
		return fmt.Sprintf("%s(%s, zero)", name, argument)
	}
	return fmt.Sprintf("%s(%s)", name, argument)
}
