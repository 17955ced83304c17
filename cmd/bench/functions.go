package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
)

// parseFunctions parses the value of -f: all, or a list of constructors, such as
// sigmoid,elu(1.5).
func parseFunctions(list string) ([]compute.Activation, error) {
	if strings.EqualFold(list, "all") {
		return allFunctions(), nil
	}
	var functions []compute.Activation
	for list != "" || functions == nil {
		var text string
		text, list = cutFunction(list)
		f, err := parseFunction(text)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(functions, f) {
			functions = append(functions, f)
		}
	}
	return functions, nil
}

// allFunctions returns every function, with usual parameters.
func allFunctions() []compute.Activation {
	var list []compute.Activation
	for i, f := range function.All() {
		a := compute.Activation{Kind: compute.Kind(i + 1), Params: f.Trials[0]}
		if a.Kind == compute.KindLeakyReLU {
			a = compute.LeakyReLU(compute.DefaultNegativeSlope)
		}
		list = append(list, a)
	}
	return list
}

// cutFunction returns the text before the first comma that is not in parentheses, and after it.
func cutFunction(list string) (text, rest string) {
	depth := 0
	for i, c := range list {
		switch {
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			return list[:i], list[i+1:]
		}
	}
	return list, ""
}

// parseFunction parses a function, such as elu(1.5).
func parseFunction(text string) (f compute.Activation, err error) {
	name, inside, called := strings.Cut(strings.TrimSpace(text), "(")
	all := function.All()
	i := slices.IndexFunc(all, func(fn *function.Function) bool { return strings.EqualFold(fn.Name, name) })
	if i < 0 {
		var names []string
		for _, fn := range all {
			names = append(names, strings.ToLower(fn.Name))
		}
		return f, fmt.Errorf("%q is not a function; they are all, or %s", name, strings.Join(names, ", "))
	}
	f.Kind = compute.Kind(i + 1)
	params := all[i].Params()
	var args []string
	if called {
		var closed bool
		if inside, closed = strings.CutSuffix(inside, ")"); !closed {
			return f, fmt.Errorf("%q lacks a )", text)
		}
		if strings.TrimSpace(inside) != "" {
			args = strings.Split(inside, ",")
		}
	}
	if len(args) != len(params) {
		usage := strings.ToLower(name)
		if len(params) > 0 {
			usage += "(" + strings.Join(params, ", ") + ")"
		}
		return f, fmt.Errorf("%q has %d parameters; write %s", text, len(args), usage)
	}
	for j, arg := range args {
		v, err := strconv.ParseFloat(strings.TrimSpace(arg), 32)
		if errors.Is(err, strconv.ErrRange) {
			return f, fmt.Errorf("the %s of %q is more than a float32 holds", params[j], text)
		}
		if err != nil {
			return f, fmt.Errorf("the %s of %q is not a number", params[j], text)
		}
		f.Params[j] = float32(v)
	}
	return f, f.Validate()
}

// functionPrograms returns the programs that compute the operations of the functions.
func functionPrograms(functions []compute.Activation, ops []string) ([]program, error) {
	var programs []program
	for _, f := range functions {
		fn := function.Of(int(f.Kind))
		var scalars []scalar
		var values []string
		for i, name := range fn.Params() {
			value := strconv.FormatFloat(float64(f.Params[i]), 'g', -1, 32)
			scalars, values = append(scalars, scalar{name, value}), append(values, value)
		}
		name := strings.ToLower(fn.Name)
		if values != nil {
			name += "(" + strings.Join(values, ",") + ")"
		}
		for _, fm := range form.Plain() {
			if !slices.Contains(ops, fm.String()) {
				continue
			}
			p, err := newProgram(fn.Program(function.Form(fm)), scalars, map[string]bool{})
			if err != nil {
				return nil, err
			}
			p.name = name + " " + fm.String()
			programs = append(programs, p)
		}
	}
	return programs, nil
}
