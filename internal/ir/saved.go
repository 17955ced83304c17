package ir

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Saved splits the gradient of p with respect to an argument into two programs that share one
// bit. backward is the gradient: its arguments are gradients, then those of p. forwards has the
// results of p and then the bit; backwards has the arguments of backward, with the bit in place
// of the argument, and its result. The bit has the name, which no argument or result has.
//
// The bit exists if backward depends on the argument through comparisons alone, and if these
// tell two values apart. Otherwise the error says what is so, as the end of a sentence.
func Saved(p, backward *Program, arg int, bit string) (forwards, backwards *Program, err error) {
	// A select by what does not depend on the argument can be part of the two values, or of
	// the bit. One may fail where the other does not.
	for _, every := range []bool{false, true} {
		s := newSaver(p, backward, arg, bit, every)
		found, failure := s.cases(backward.Results[0].Value)
		switch {
		case failure != nil:
		case len(found) == 1:
			return nil, nil, errors.New("does not depend on it; Backward ignores it, so there is nothing to save")
		case len(found) > 2:
			failure = fmt.Errorf("has %d values, of which a bit tells 2 apart; keep the argument for Backward", len(found))
		default:
			forwards, backwards = s.split(found)
			return forwards, backwards, nil
		}
		err = cmp.Or(err, failure)
	}
	return nil, nil, err
}

// A saver finds the values of a gradient, and under which conditions it has them.
type saver struct {
	simplifier // of the program with the bit
	p          *Program
	backward   *Program
	gradients  int
	arg        int
	bit        string
	every      bool    // whether all conditions are part of the bit, or only those with the argument
	depends    []bool  // whether a node of backward depends on the argument
	copies     []Value // nodes of backward in the program with the bit, plus 1
	args       []Value // its arguments
	atoms      []Value // conditions of backward
	known      map[Value]cases
}

// maxAtoms is the number of conditions at most: a set of them is a bit of a truth.
const maxAtoms = 6

// A truth is a function of the atoms as a table: bit i is its value where atom j is bit j of i.
type truth uint64

const always = ^truth(0)

// atomTruths has the atoms themselves.
var atomTruths = [maxAtoms]truth{
	0xaaaaaaaaaaaaaaaa, 0xcccccccccccccccc, 0xf0f0f0f0f0f0f0f0, 0xff00ff00ff00ff00, 0xffff0000ffff0000, 0xffffffff00000000,
}

// cases are the values that a node can have, each with the condition under which it has it. Of
// the conditions one is true. The values are all different and do not depend on the argument.
type cases []valueCase

type valueCase struct {
	value Value
	on    truth
}

// with returns c with another case.
func (c cases) with(v Value, on truth) cases {
	if on == 0 {
		return c
	}
	if i := slices.IndexFunc(c, func(k valueCase) bool { return k.value == v }); i >= 0 {
		c[i].on |= on
		return c
	}
	return append(c, valueCase{v, on})
}

func newSaver(p, backward *Program, arg int, bit string, every bool) *saver {
	s := &saver{
		p: p, backward: backward, gradients: len(backward.Args) - len(p.Args), arg: arg, bit: bit, every: every,
		depends: make([]bool, len(backward.Nodes)), copies: make([]Value, len(backward.Nodes)), known: map[Value]cases{},
	}
	for i, n := range backward.Nodes {
		s.depends[i] = s.isArg(n)
		for _, x := range n.Operands() {
			s.depends[i] = s.depends[i] || s.depends[x]
		}
	}
	for i, a := range backward.Args {
		if i == s.gradients+arg {
			a = Param{bit, Bool}
		}
		s.args = append(s.args, s.Arg(a.Name, a.Type))
	}
	return s
}

// isArg reports whether a node of backward is the argument.
func (s *saver) isArg(n Node) bool { return n.Op == Arg && n.Imm == uint64(s.gradients+s.arg) }

// cases returns the values of a node of backward, which is no bool that depends on the
// argument: those are conditions of selects.
func (s *saver) cases(v Value) (cases, error) {
	if c, ok := s.known[v]; ok {
		return c, nil
	}
	n := s.backward.Nodes[v]
	var c cases
	var err error
	switch {
	case !s.depends[v]:
		c = cases{{s.copy(v), always}}
	case s.isArg(n):
		err = errors.New("depends on its value, and not through comparisons alone; keep it for Backward")
	case s.selects(n):
		c, err = s.branches(n)
	default:
		c, err = s.apply(n)
	}
	s.known[v] = c
	return c, err
}

// copy returns a node of backward that does not depend on the argument.
func (s *saver) copy(v Value) Value {
	if s.copies[v] == 0 {
		n := s.backward.Nodes[v]
		if n.Op == Arg {
			s.copies[v] = s.args[n.Imm] + 1
			return s.args[n.Imm]
		}
		for i, x := range n.Operands() {
			n.In[i] = s.copy(x)
		}
		s.copies[v] = s.simplify(n) + 1
	}
	return s.copies[v] - 1
}

// selects reports whether a node is a select whose condition is part of the bit.
func (s *saver) selects(n Node) bool {
	operands := n.Operands()
	return len(operands) == 3 && s.backward.Nodes[operands[0]].Type == Bool && (s.every || s.depends[operands[0]])
}

// branches returns the values of a select.
func (s *saver) branches(n Node) (cases, error) {
	on, err := s.condition(n.In[0])
	if err != nil {
		return nil, err
	}
	var all cases
	for i, on := range [2]truth{on, ^on} {
		branch, err := s.cases(n.In[1+i])
		if err != nil {
			return nil, err
		}
		for _, k := range branch {
			all = all.with(k.value, k.on&on)
		}
	}
	return all, nil
}

// condition returns a bool of backward as a function of the atoms, to which it adds.
func (s *saver) condition(v Value) (truth, error) {
	n := s.backward.Nodes[v]
	switch n.Op {
	case And, Or:
		x, err := s.condition(n.In[0])
		if err != nil {
			return 0, err
		}
		y, err := s.condition(n.In[1])
		if n.Op == And {
			return x & y, err
		}
		return x | y, err
	case Not:
		x, err := s.condition(n.In[0])
		return ^x, err
	}
	i := slices.Index(s.atoms, v)
	if i < 0 {
		i = len(s.atoms)
		if i == maxAtoms {
			return 0, fmt.Errorf("depends on more than %d comparisons; keep the argument for Backward", maxAtoms)
		}
		s.atoms = append(s.atoms, v)
	}
	return atomTruths[i], nil
}

// apply returns the values of an operation, for all values of its operands.
func (s *saver) apply(n Node) (cases, error) {
	type operands struct {
		node Node
		on   truth
	}
	all := []operands{{n, always}}
	for i, x := range n.Operands() {
		values, err := s.cases(x)
		if err != nil {
			return nil, err
		}
		var next []operands
		for _, o := range all {
			for _, k := range values {
				o := operands{o.node, o.on & k.on}
				o.node.In[i] = k.value
				if o.on != 0 {
					next = append(next, o)
				}
			}
		}
		all = next
	}
	var c cases
	for _, o := range all {
		c = c.with(s.simplify(o.node), o.on)
	}
	return c, nil
}

// split returns the programs for two values. The bit tells the one from the other whose
// condition takes fewer operations.
func (s *saver) split(found cases) (forwards, backwards *Program) {
	forwards = s.forwards(found[0].on)
	if other := s.forwards(found[1].on); other.Size() < forwards.Size() {
		forwards = other
		found[0], found[1] = found[1], found[0]
	}
	bit := s.args[s.gradients+s.arg]
	s.Result(s.backward.Results[0].Name, s.op(WhereF32, bit, found[0].value, found[1].value))
	return forwards, s.Program(s.backward.Name)
}

// forwards returns p with the bit as a result.
func (s *saver) forwards(on truth) *Program {
	b := &Builder{}
	args := make([]Value, len(s.backward.Args))
	for i, a := range s.p.Args {
		args[s.gradients+i] = b.Arg(a.Name, a.Type)
	}
	values := b.Inline(s.p, args[s.gradients:])
	for _, r := range s.p.Results {
		b.Result(r.Name, values[r.Value])
	}
	inB := make([]Value, len(s.backward.Nodes)) // plus 1
	var add func(v Value) Value
	add = func(v Value) Value {
		if inB[v] == 0 {
			n := s.backward.Nodes[v]
			if n.Op == Arg {
				return args[n.Imm]
			}
			for i, x := range n.Operands() {
				n.In[i] = add(x)
			}
			inB[v] = b.node(n) + 1
		}
		return inB[v] - 1
	}
	var expression func(on truth, atom int) Value
	expression = func(on truth, atom int) Value {
		switch on {
		case 0:
			return b.Const(Bool, 0)
		case always:
			return b.Const(Bool, 1)
		}
		t, shift := atomTruths[atom], truth(1)<<atom
		yes, no := on&t|on&t>>shift, on&^t|on&^t<<shift
		if yes == no {
			return expression(on, atom+1)
		}
		c, x, y := add(s.atoms[atom]), expression(yes, atom+1), expression(no, atom+1)
		switch {
		case yes == always && no == 0:
			return c
		case yes == 0 && no == always:
			return b.Op(Not, c)
		case yes == always:
			return b.Op(Or, c, y)
		case yes == 0:
			return b.Op(And, b.Op(Not, c), y)
		case no == always:
			return b.Op(Or, b.Op(Not, c), x)
		case no == 0:
			return b.Op(And, c, x)
		}
		return b.Op(WhereBool, c, x, y)
	}
	b.Result(s.bit, expression(on, 0))
	return Simplify(b.Program(s.p.Name))
}
