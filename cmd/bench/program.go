package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/kernel"
)

// A program is one of -program, and what its arguments are in a call: a scalar where scalars
// has a value, and otherwise a buffer or a mask.
type program struct {
	*expr.Program
	name    string         // in tables and reports
	scalars []compute.Arg  // by argument, or nil
	kernel  *kernel.Kernel // of such calls
}

// A scalar is one of -scalars.
type scalar struct{ name, value string }

// parseProgram parses the text of a program. Errors have the place in the text, but not the
// text.
func parseProgram(text string) (*expr.Program, error) {
	p, err := expr.Parse(text)
	if wrong := new(expr.Error); errors.As(err, &wrong) {
		err = fmt.Errorf("line %d, column %d: %s", wrong.Line, wrong.Column, wrong.Message)
	}
	return p, err
}

func parseScalars(list string) (scalars []scalar, err error) {
	for s := range strings.SplitSeq(list, ",") {
		name, value, ok := strings.Cut(s, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		switch {
		case !ok || name == "" || value == "":
			return nil, fmt.Errorf("%q should be the name of an argument and a value, such as s=0.01", s)
		case slices.ContainsFunc(scalars, func(other scalar) bool { return other.name == name }):
			return nil, fmt.Errorf("%s has two values", name)
		}
		scalars = append(scalars, scalar{name, value})
	}
	return scalars, nil
}

// newPrograms returns the programs, with the scalars. They apply to every program that has
// arguments with their names.
func newPrograms(list []*expr.Program, scalars []scalar) ([]program, error) {
	var programs []program
	used := map[string]bool{}
	taken := append(append(opNames(), linearNames()...), report.Peak, report.Copy, report.Upload, report.Download, report.Transfer)
	for _, p := range list {
		if slices.Contains(taken, p.Name()) {
			return nil, fmt.Errorf("-program: there is another operation %s; give the program another name", p.Name())
		}
		taken = append(taken, p.Name())
		one, err := newProgram(p, scalars, used)
		if err != nil {
			return nil, fmt.Errorf("-program: %w", err)
		}
		programs = append(programs, one)
	}
	for _, s := range scalars {
		if !used[s.name] {
			return nil, fmt.Errorf("-scalars: no program has an argument %s", s.name)
		}
	}
	return programs, nil
}

// newProgram returns p with the scalars that it has, and adds their names to used.
func newProgram(p *expr.Program, scalars []scalar, used map[string]bool) (program, error) {
	one := program{Program: p, name: p.Name()}
	var addresses []kernel.Address
	buffers := len(p.Results())
	for _, r := range p.Results() {
		if r.Type == expr.Uint32 {
			return one, fmt.Errorf("the result %s of %s is a uint32, for which there are no buffers; return float32(%s)", r.Name, p.Name(), r.Name)
		}
	}
	for _, a := range p.Args() {
		var v compute.Arg
		for _, s := range scalars {
			if s.name != a.Name {
				continue
			}
			used[a.Name] = true
			var err error
			if v, err = parseScalar(a.Type, s.value); err != nil {
				return one, fmt.Errorf("%w (-scalars gives %q to the argument %s of %s)", err, s.value, a.Name, p.Name())
			}
		}
		if v == nil && a.Type == expr.Uint32 {
			v = compute.U32(1) // a uint32 is always a scalar
		}
		address := kernel.Scalar
		switch {
		case v != nil:
		case a.Type == expr.Bool:
			address = kernel.Bit
		default:
			address = kernel.Element
		}
		if v == nil {
			buffers++
		}
		one.scalars, addresses = append(one.scalars, v), append(addresses, address)
	}
	if buffers > expr.MaxBuffers {
		return one, fmt.Errorf("%s has %d buffers and masks, and a call may have %d; name scalars with -scalars", p.Name(), buffers, expr.MaxBuffers)
	}
	if n := len(addresses) + len(p.Results()) - buffers; n > expr.MaxScalars {
		return one, fmt.Errorf("%s has %d scalars, and a call may have %d; name fewer with -scalars", p.Name(), n, expr.MaxScalars)
	}
	one.kernel = kernel.New(p.IR(), addresses)
	return one, nil
}

// parseScalar parses a value of the type.
func parseScalar(t expr.Type, text string) (compute.Arg, error) {
	switch t {
	case expr.Float32:
		v, err := strconv.ParseFloat(text, 32)
		if errors.Is(err, strconv.ErrRange) {
			return nil, errors.New("it is more than a float32 holds")
		}
		if err == nil {
			return compute.F32(v), nil
		}
	case expr.Uint32:
		if v, err := strconv.ParseUint(text, 10, 32); err == nil {
			return compute.U32(v), nil
		}
	case expr.Bool:
		if v, err := strconv.ParseBool(text); err == nil {
			return compute.Bool(v), nil
		}
	}
	return nil, fmt.Errorf("it is no %v", t)
}

// operands returns the numbers of operands that the programs and operations have at most.
func (c *config) operands() counts {
	most := operations
	for _, p := range c.programs {
		most = most.most(p.operands())
	}
	return most
}

// operands returns the numbers of operands of p.
func (p *program) operands() (k counts) {
	for i, a := range p.Args() {
		switch {
		case p.scalars[i] != nil:
		case a.Type == expr.Bool:
			k.maskArgs++
		default:
			k.args++
		}
	}
	for _, r := range p.Results() {
		if r.Type == expr.Bool {
			k.maskResults++
		} else {
			k.results++
		}
	}
	return k
}

// onDevice returns the arguments of a call of p on the buffers and masks of s.
func (p *program) onDevice(s *set) []compute.Arg {
	return p.call(s, func(o operand) compute.Arg { return o.Buffer }, func(m mask) compute.Arg { return m.Mask })
}

// onHost returns the arguments of a call of p on the slices of s.
func (p *program) onHost(s *set) []compute.Arg {
	return p.call(s, func(o operand) compute.Arg { return compute.Slice(o.host) }, func(m mask) compute.Arg { return m.words })
}

// call returns the arguments of a call: the results and the arguments of p are the first ones
// of s, in their order.
func (p *program) call(s *set, float func(operand) compute.Arg, bits func(mask) compute.Arg) (args []compute.Arg) {
	add := func(t expr.Type, floats *[]operand, masks *[]mask) {
		if t == expr.Bool {
			args, *masks = append(args, bits((*masks)[0])), (*masks)[1:]
		} else {
			args, *floats = append(args, float((*floats)[0])), (*floats)[1:]
		}
	}
	floats, masks := s.results, s.maskResults
	for _, r := range p.Results() {
		add(r.Type, &floats, &masks)
	}
	floats, masks = s.args, s.maskArgs
	for i, a := range p.Args() {
		if v := p.scalars[i]; v != nil {
			args = append(args, v)
		} else {
			add(a.Type, &floats, &masks)
		}
	}
	return args
}

// report returns p for the report.
func (p *program) report() report.Program {
	var scalars []string
	for i, a := range p.Args() {
		switch v := p.scalars[i].(type) {
		case nil:
		case compute.F32:
			scalars = append(scalars, a.Name+"="+strconv.FormatFloat(float64(v), 'g', -1, 32))
		default:
			scalars = append(scalars, fmt.Sprintf("%s=%v", a.Name, v))
		}
	}
	return report.Program{Name: p.name, Text: p.String(), Scalars: strings.Join(scalars, ", ")}
}
