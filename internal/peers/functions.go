package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/units"
	"github.com/gmind-go/compute/internal/values"
)

// The functions that are compared, and those that are timed if no list is given: what networks
// use most.
var (
	allFunctions   = []string{"exp", "expm1", "log", "log1p", "tanh", "sigmoid", "logSigmoid", "erf", "softplus", "silu", "gelu", "geluTanh", "mish", "softsign"}
	timedFunctions = []string{"exp", "tanh", "sigmoid", "silu", "gelu", "softplus", "mish"}
)

// parseFunctions parses a list of functions: names, all, or none.
func parseFunctions(list string) ([]string, error) {
	switch list {
	case "all":
		return allFunctions, nil
	case "none":
		return []string{}, nil
	}
	names := strings.Split(list, ",")
	for _, name := range names {
		if !slices.Contains(allFunctions, name) {
			return nil, fmt.Errorf("%q is none of %s", name, strings.Join(allFunctions, ", "))
		}
	}
	return names, nil
}

// A functionForm is what is computed of a function.
type functionForm struct {
	name    string
	suffix  string // of the operation of a peer
	bytes   int    // that must be moved, per element
	program func(f *expr.Program) *expr.Program
	dy      bool // the program has dy as its first argument
}

// functionForms are the forms. No peer has a derivative.
var functionForms = []functionForm{
	{"forward", "", 8, func(f *expr.Program) *expr.Program { return f }, false},
	{"derivative", ".derivative", 8, func(f *expr.Program) *expr.Program { return f.Partial("x") }, false},
	{"backward", ".backward", 12, func(f *expr.Program) *expr.Program { return f.Backward("x") }, true},
}

// of returns the program of a function.
func (f functionForm) of(name string) *expr.Program {
	return f.program(expr.MustParse(fmt.Sprintf("f(x) = %s(x)", name)))
}

// args returns the arguments of a program that of returned, with y for the result.
func (f functionForm) args(y, dy, x compute.Buffer) []compute.Arg {
	if f.dy {
		return []compute.Arg{y, dy, x}
	}
	return []compute.Arg{y, x}
}

// eval returns the reference of a program that of returned.
func (f functionForm) eval(p *expr.Program, dy, x float32) float32 {
	args := []any{dy, x}
	if !f.dy {
		args = args[1:]
	}
	results, err := p.Eval(args...)
	if err != nil {
		panic(err) // by the types of the arguments, which are always the same
	}
	return results[0].(float32)
}

// A rival is a peer in the comparison of functions.
type rival struct {
	column string
	*peer
	has   map[string]bool // operations
	holds *memory         // the values that it has
}

// newRival asks a peer for its operations.
func newRival(column string, p *peer) *rival {
	r := &rival{column: column, peer: p, has: map[string]bool{}}
	for _, op := range p.operations() {
		r.has[op] = true
	}
	return r
}

// String returns the name with the version, or why the peer is missing.
func (r *rival) String() string {
	if r.err != nil {
		return fmt.Sprintf("%s: %v", r.column, r.err)
	}
	return r.name
}

// resultOf computes an operation on the values of h, into dst.
func (r *rival) resultOf(op string, h *memory, dst []float32) error {
	if r.holds != h {
		r.holds = h
		_ = r.load(0, h.x, h.dy) // result returns an error of it
	}
	return r.result(op, dst)
}

// functionMemory returns n values of a normal distribution with the standard deviation 2, and
// as many of 1.
func functionMemory(n int) *memory {
	x := values.Normal(n, 1)
	for i := range x {
		x[i] *= 2
	}
	return newMemory(x, values.Normal(n, 2))
}

// functionContestants returns the contestants of a function on the values of h. x, dy and y
// are buffers with these values.
func functionContestants(name string, b compute.Backend, rivals []*rival, h *memory, x, dy, y compute.Buffer) (list []*contestant, err error) {
	list = append(list, &contestant{
		column: colCopy, op: name + " copy", bytes: 8,
		time:   timeGo(func() error { return b.Copy(y, x) }),
		result: func(dst []float32) error { return errors.Join(b.Copy(y, x), y.Read(dst)) },
		want:   func(_, x float32) float32 { return x },
	})
	for _, form := range functionForms {
		p := form.of(name)
		add := func(column string, time func(calls int) (float64, error), result func(dst []float32) error) {
			list = append(list, &contestant{
				column: column, op: name + " " + form.name, bytes: form.bytes, time: time, result: result,
				want: func(dy, x float32) float32 { return form.eval(p, dy, x) },
			})
		}
		call, err := b.Prepare(p, form.args(y, dy, x)...)
		if err != nil {
			return nil, err
		}
		add(colOurs, timeGo(call.Run), func(dst []float32) error { return errors.Join(call.Run(), y.Read(dst)) })
		for _, r := range rivals {
			if op := name + form.suffix; r.has[op] {
				add(r.column, func(calls int) (float64, error) { return r.time(op, calls) }, func(dst []float32) error { return r.resultOf(op, h, dst) })
			}
		}
	}
	return list, nil
}

const (
	verified   = 256  // elements of each result, spread evenly
	tolerance  = 1e-5 // of a peer; that of values below 1 is absolute
	longestRun = 500 * time.Millisecond
)

// verifyFunctions compares a sample of all results with the reference: those of this library
// bit by bit, and those of peers so that nothing that is not the function is timed. It returns
// an error only if this library is wrong.
func verifyFunctions(list []*contestant, h *memory) error {
	for _, c := range list {
		if c.Err = c.result(h.out); c.Err != nil {
			if c.ours() {
				return c.Err
			}
			continue
		}
		count := min(verified, len(h.x))
		for k := range count {
			i := k * (len(h.x) - 1) / max(1, count-1)
			got, want := h.out[i], c.want(h.dy[i], h.x[i])
			near := math.Abs(float64(got)-float64(want)) <= tolerance*max(1, math.Abs(float64(want)))
			if values.Same(got, want) || near && !c.ours() {
				continue
			}
			c.wrong = fmt.Sprintf("%s, not %s, where x is %v and dy %v", values.Show(got), values.Show(want), h.x[i], h.dy[i])
			if c.ours() {
				return fmt.Errorf("%s of %s: %s", c.op, c.column, c.wrong)
			}
			break
		}
	}
	return nil
}

// measureFunctions measures the functions of c, and adds the results to r.
func measureFunctions(c config, b compute.Backend, rivals []*rival, r *functionReport, progress io.Writer) error {
	all := functionMemory(slices.Max(c.functionSizes))
	for _, n := range c.functionSizes {
		h := all.first(n)
		err := withBuffers(b, h, func(x, dy, y compute.Buffer) error {
			for _, name := range c.functions {
				fmt.Fprintf(progress, "measuring %s of %s elements\n", name, units.Count(n))
				list, err := functionContestants(name, b, rivals, h, x, dy, y)
				if err != nil {
					return err
				}
				list = slices.DeleteFunc(list, func(c *contestant) bool { return r.takesTooLong(c, n) })
				err = verifyFunctions(list, h)
				if err == nil {
					err = compete(list, c.functionRounds, c.functionRest, c)
				}
				if err != nil {
					return err
				}
				r.add(n, list)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// withBuffers calls do with buffers of the values of h and one for results.
func withBuffers(b compute.Backend, h *memory, do func(x, dy, y compute.Buffer) error) (err error) {
	var bufs [3]compute.Buffer
	for i, v := range [][]float32{h.x, h.dy, h.x} {
		if bufs[i], err = b.Upload(v); err != nil {
			return err
		}
		defer bufs[i].Release()
	}
	return do(bufs[0], bufs[1], bufs[2])
}
