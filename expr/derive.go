package expr

import (
	"maps"
	"slices"

	"github.com/gmind-go/compute/internal/ir"
)

// Partial returns the program of the partial derivatives with respect to an argument of type
// float32. It has the arguments of p, and a result for each of type float32: for y and the
// argument x, it is dydx.
//
// The derivative of each operation is in the table of the package. That of a select is a
// select: the branch that gave the value gives the derivative. An operand that does not
// depend on the argument adds nothing, not even 0 times something.
//
// If there is no such argument, or the derivatives exceed a limit, Err of the result returns
// why.
func (p *Program) Partial(arg string) *Program {
	i, failure := p.argument(arg)
	if failure != nil {
		return failure
	}
	if q := p.partials[arg]; q != nil {
		return q
	}
	used := p.names()
	q := ir.Partial(p.ir, i, func(result string) string { return unique(used, "d"+result+"d"+arg) })
	return p.derived(q, p.ir.Name+"_d"+arg)
}

// Backward returns the program that backpropagation needs: the gradient of a loss with
// respect to an argument of type float32, from its gradients with respect to the results. The
// arguments are a gradient for each result of type float32, and the arguments of p. For y and
// the argument x, they are dy and x and the result is dx = dy * dydx.
//
// It is one product for each result, summed in the order of the results. Where the derivative
// is a 0 or a 1 that a select returns, nothing is multiplied: the gradient is +0 or dy.
//
// If there is no such argument, or the derivatives exceed a limit, Err of the result returns
// why.
func (p *Program) Backward(arg string) *Program {
	i, failure := p.argument(arg)
	if failure != nil {
		return failure
	}
	var partial *ir.Program
	if q := p.partials[arg]; q != nil {
		partial = q.ir
	}
	used := p.names()
	name := func(result string) string { return unique(used, "d"+result) }
	dx := unique(used, "d"+arg)
	return p.derived(ir.Backward(p.ir, i, partial, name, dx), p.ir.Name+"_backward_d"+arg)
}

// Saved returns two programs that save one bit of an argument for backpropagation, where
// Backward needs the argument itself. forward has the arguments and the results of p, and then
// the bit, a result of type bool. backward has the arguments of Backward, with the bit in place
// of the argument, and returns the same bits as Backward.
//
// They exist for a piecewise linear function of the argument: if its derivative depends on the
// argument through comparisons alone, at most 6, and these tell two values apart. Otherwise Err
// of both returns why, and what to keep instead.
func (p *Program) Saved(arg string) (forward, backward *Program) {
	both := func(failure *Program) (forward, backward *Program) { return failure, failure }
	i, failure := p.argument(arg)
	if failure != nil {
		return both(failure)
	}
	gradient := p.Backward(arg)
	if gradient.Err() != nil {
		return both(gradient)
	}
	used := gradient.names()
	for _, r := range append(p.Results(), gradient.Results()...) {
		used[r.Name] = true
	}
	f, b, err := ir.Saved(p.ir, gradient.ir, i, unique(used, "bit"))
	if err != nil {
		return both(failed("%s saves no bit of %s: the derivative %w", p.ir.Name, arg, err))
	}
	return p.derived(f, p.ir.Name+"_bit_d"+arg), p.derived(b, p.ir.Name+"_backward_bit_d"+arg)
}

// WithPartial returns p with q as its partial derivative with respect to an argument, for
// Partial and Backward. p must have one result, of type float32, as must q, and q must have
// the arguments of p. Otherwise Err of the result returns an error. The derivative is not part
// of the text: String and Equal ignore it.
func (p *Program) WithPartial(arg string, q *Program) *Program {
	if _, failure := p.argument(arg); failure != nil {
		return failure
	}
	one := func(p *Program) bool { r := p.Results(); return len(r) == 1 && r[0].Type == Float32 }
	switch {
	case q.Err() != nil:
		return &Program{err: q.Err()}
	case !one(p), !one(q):
		return failed("%s and its derivative %s must have one result, of type float32", p.ir.Name, q.ir.Name)
	case !slices.Equal(p.ir.Args, q.ir.Args):
		return failed("%s has the arguments %v, and its derivative %s has %v", p.ir.Name, list(p.Args()), q.ir.Name, list(q.Args()))
	}
	partials := maps.Clone(p.partials)
	if partials == nil {
		partials = map[string]*Program{}
	}
	partials[arg] = q
	return &Program{ir: p.ir, partials: partials}
}

// argument returns the index of an argument of type float32, or a failed Program.
func (p *Program) argument(name string) (int, *Program) {
	if err := p.Err(); err != nil {
		return 0, &Program{err: err}
	}
	i := p.ir.ArgIndex(name)
	switch {
	case i < 0:
		var names []string
		for _, a := range p.ir.Args {
			names = append(names, a.Name)
		}
		return 0, failed("%s has no argument %s%s", p.ir.Name, name, meant(name, names))
	case p.ir.Args[i].Type != ir.F32:
		return 0, failed("the argument %s of %s is %v; there are derivatives with respect to float32 only", name, p.ir.Name, p.ir.Args[i].Type)
	}
	for _, r := range p.ir.Results {
		if p.ir.Nodes[r.Value].Type == ir.F32 {
			return i, nil
		}
	}
	return 0, failed("%s has no result of type float32, so it has no derivative", p.ir.Name)
}

// names returns the names of the arguments.
func (p *Program) names() map[string]bool {
	used := map[string]bool{}
	for _, a := range p.ir.Args {
		used[a.Name] = true
	}
	return used
}

// unique returns the name, with as many underscores as make it unlike the used ones, and adds
// it to them.
func unique(used map[string]bool, name string) string {
	name = unnamed(name, func(name string) bool { return used[name] || checkName(name) != nil })
	used[name] = true
	return name
}

// derived names and checks a program of derivatives.
func (p *Program) derived(q *ir.Program, name string) *Program {
	q.Name = name
	d, err := finish(q)
	if err != nil {
		return failed("%w", err)
	}
	return d
}
