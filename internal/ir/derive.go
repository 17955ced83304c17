package ir

// Partial returns the program of the partial derivatives of the results of p with respect to
// its argument. It has a result for each of type float32, in their order, with the name that
// name returns. The derivatives are computed in forward mode: along with each value.
func Partial(p *Program, arg int, name func(result string) string) *Program {
	d := newDeriver(p, nil)
	for i, t := range d.tangents(p, arg) {
		if r := p.Results[i]; p.Nodes[r.Value].Type == F32 {
			d.Result(name(r.Name), t)
		}
	}
	return Simplify(d.Program(p.Name))
}

// Backward returns the program of the gradient with respect to an argument: the sum over the
// results of type float32, in their order, of each one's gradient times its partial
// derivative. The gradients are arguments before those of p, with the names that name returns
// for a result; the result is named dx. partial, if not nil, is the derivative of the only
// result of p.
func Backward(p *Program, arg int, partial *Program, name func(result string) string, dx string) *Program {
	var gradients []Param
	for _, r := range p.Results {
		if p.Nodes[r.Value].Type == F32 {
			gradients = append(gradients, Param{name(r.Name), F32})
		}
	}
	d := newDeriver(p, gradients)
	var tangents []Value
	if partial != nil {
		values := d.Inline(partial, d.values[:len(p.Args)])
		tangents = []Value{d.structural(values[partial.Results[0].Value])}
	} else {
		tangents = d.tangents(p, arg)
	}
	sum, next := d.zero, 0
	for i, t := range tangents {
		if p.Nodes[p.Results[i].Value].Type == F32 {
			sum = d.add(sum, d.mul(t, d.gradients[next]))
			next++
		}
	}
	d.Result(dx, sum)
	return Simplify(d.Program(p.Name))
}

// A deriver builds a program of derivatives. The derivative of a value is zero, one, a value,
// or a where of these. A product with such a where is a where of products, so that no zero is
// multiplied: 0*Inf would be NaN.
type deriver struct {
	Builder
	zero, one Value
	gradients []Value
	values    []Value             // the arguments of p
	branches  map[Value]bool      // whether a derivative is zero or one, or a where with one
	done      map[operation]Value // on derivatives with branches
}

// An operation has a derivative and a value as operands.
type operation struct {
	op   Op
	t, v Value
}

// newDeriver returns a deriver whose arguments are the gradients and those of p.
func newDeriver(p *Program, gradients []Param) *deriver {
	d := &deriver{branches: map[Value]bool{}, done: map[operation]Value{}}
	d.zero = d.node(Node{Op: zero, Type: F32})
	d.one = d.node(Node{Op: one, Type: F32})
	d.branches[d.zero], d.branches[d.one] = true, true
	for _, g := range gradients {
		d.gradients = append(d.gradients, d.Arg(g.Name, g.Type))
	}
	for _, a := range p.Args {
		d.values = append(d.values, d.Arg(a.Name, a.Type))
	}
	return d
}

// tangents adds the nodes of p and returns the derivatives of its results.
func (d *deriver) tangents(p *Program, arg int) []Value {
	values := d.Inline(p, d.values)
	tangents := make([]Value, len(p.Nodes))
	for i := range p.Nodes {
		n := &p.Nodes[i]
		tangents[i] = d.zero
		switch derive := table[n.Op].derive; {
		case n.Op == Arg && n.Imm == uint64(arg):
			tangents[i] = d.one
		case derive != nil:
			var x, dx [3]Value
			depends := false
			for j, in := range n.Operands() {
				x[j], dx[j] = values[in], tangents[in]
				depends = depends || dx[j] != d.zero
			}
			if depends {
				tangents[i] = derive(d, values[i], x[:], dx[:])
			}
		}
	}
	results := make([]Value, len(p.Results))
	for i, r := range p.Results {
		results[i] = tangents[r.Value]
	}
	return results
}

// structural returns a derivative given as a value, with zero and one for the constants 0 and
// 1 that a where returns.
func (d *deriver) structural(v Value) Value {
	switch n := d.nodes[v]; {
	case n == Node{Op: Const, Type: F32, Imm: 0}:
		return d.zero
	case n == Node{Op: Const, Type: F32, Imm: fromF32(1)}:
		return d.one
	case n.Op == WhereF32:
		return d.once(operation{WhereF32, v, v}, func() Value {
			return d.where(n.In[0], d.structural(n.In[1]), d.structural(n.In[2]))
		})
	}
	return v
}

// where returns where(c, a, b) of derivatives.
func (d *deriver) where(c, a, b Value) Value {
	if a == b {
		return a
	}
	v := d.Op(WhereF32, c, a, b)
	d.branches[v] = d.branches[a] || d.branches[b]
	return v
}

// once returns f(), which it calls once for each operation: branches may be shared.
func (d *deriver) once(o operation, f func() Value) Value {
	v, ok := d.done[o]
	if !ok {
		v = f()
		d.done[o] = v
	}
	return v
}

// maxBranches is how many selects of a derivative an operation is applied to the branches of.
// Without a limit, selects of selects would double with each operation.
const maxBranches = 4

// apply returns the operation on the derivative t and the value v: on the branches of t if one
// is zero, which stays zero, or one, of which ofOne is the result.
func (d *deriver) apply(op Op, t, v, ofOne Value, operands func(t Value) []Value) Value {
	switch {
	case t == d.zero:
		return d.zero
	case t == d.one:
		return ofOne
	case !d.branches[t]:
		return d.Op(op, operands(t)...)
	case d.selects(t, map[Value]bool{}) > maxBranches:
		return d.where(d.isZero(t), d.zero, d.Op(op, operands(t)...))
	}
	return d.once(operation{op, t, v}, func() Value {
		n := d.nodes[t]
		return d.where(n.In[0], d.apply(op, n.In[1], v, ofOne, operands), d.apply(op, n.In[2], v, ofOne, operands))
	})
}

// selects returns the number of selects with branches in t, or some number above the limit.
func (d *deriver) selects(t Value, seen map[Value]bool) int {
	if n := d.nodes[t]; n.Op == WhereF32 && d.branches[t] && !seen[t] && len(seen) <= maxBranches {
		seen[t] = true
		d.selects(n.In[1], seen)
		d.selects(n.In[2], seen)
	}
	return len(seen)
}

// isZero returns the condition under which t is zero.
func (d *deriver) isZero(t Value) Value {
	switch n := d.nodes[t]; {
	case t == d.zero:
		return d.Const(Bool, 1)
	case n.Op == WhereF32 && d.branches[t]:
		return d.once(operation{WhereBool, t, t}, func() Value {
			return d.Op(WhereBool, n.In[0], d.isZero(n.In[1]), d.isZero(n.In[2]))
		})
	}
	return d.Const(Bool, 0)
}

// mul returns v*t.
func (d *deriver) mul(t, v Value) Value {
	return d.apply(MulF32, t, v, v, func(t Value) []Value { return []Value{v, t} })
}

// div returns t/v.
func (d *deriver) div(t, v Value) Value {
	return d.apply(DivF32, t, v, d.Op(DivF32, d.Float32(1), v), func(t Value) []Value { return []Value{t, v} })
}

// neg returns -t.
func (d *deriver) neg(t Value) Value {
	return d.apply(NegF32, t, t, d.Float32(-1), func(t Value) []Value { return []Value{t} })
}

// add returns s+t.
func (d *deriver) add(s, t Value) Value {
	switch {
	case s == d.zero:
		return t
	case t == d.zero:
		return s
	}
	return d.Op(AddF32, s, t)
}

// sub returns s-t.
func (d *deriver) sub(s, t Value) Value {
	switch {
	case s == d.zero:
		return d.neg(t)
	case t == d.zero:
		return s
	}
	return d.Op(SubF32, s, t)
}
