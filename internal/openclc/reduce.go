package openclc

import (
	"fmt"
	"strings"

	"github.com/gmind-go/compute/internal/kernel"
)

// PrintValues returns what kernels.Reduce needs of k, whose one result is an Element: a function
// that returns a vector of values, after the functions that it calls. Of the options Name does
// not matter, and Views holds. The kernel has the arguments that Print has.
func PrintValues(k *kernel.Kernel, o Options) (string, error) {
	o.Views = true
	p := printer{k: k, o: o, vector: "_", first: "i"}
	p.results, p.inputs, p.params = p.names()
	if err := p.functions(); err != nil {
		return "", err
	}
	declared, names := p.arguments()
	p.wrapped("static inline FLOATS values(", append(declared[1:], "const INDEX i", "const bool full", "const uint aligned"))
	p.line(0, "{")
	for _, name := range p.viewed()[1:] {
		p.line(1, "%s += %[1]s_first;", name)
	}
	for i, a := range p.inputs {
		switch p.k.Inputs[i] {
		case kernel.Element:
			p.line(1, "FLOATS %s_;", a)
			p.line(1, "if (!full) %s_ = load_some(%[1]s, i, n);", a)
			p.line(1, "else if (aligned) %s_ = LOAD(%[1]s + i);", a)
			p.line(1, "else %s_ = load_anywhere(%[1]s + i);", a)
		case kernel.Bit:
			p.line(1, "const INTS %s_ = mask_any(%[1]s, i, n);", a)
		case kernel.Row:
			p.line(1, "const FLOATS %s_ = load_row(%[1]s, i, %[1]s_start, %[1]s_length);", a)
		case kernel.Col:
			p.line(1, "const FLOATS %s_ = load_column(%[1]s, i, %[1]s_base, %[1]s_until, %[1]s_period, n);", a)
		}
	}
	values, err := p.statements(1, rounded, k.Body, p.argument)
	if err != nil {
		return "", err
	}
	result := k.Body.Results[0].Value
	p.line(1, "return %s;", values[result].vector(k.Body.Nodes[result].Type))
	p.line(0, "}")
	p.line(0, "#define PARAMETERS %s", strings.Join(declared, ", "))
	p.line(0, "#define VALUES(i, full) values(%s, i, full, aligned)", strings.Join(names[1:], ", "))
	if p.o.Guarded {
		p.line(0, "#define GUARDED")
	}
	return fmt.Sprintln(p.out.String()), nil
}
