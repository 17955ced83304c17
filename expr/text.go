package expr

import (
	"fmt"
	"go/token"
	"math"
	"strconv"
	"strings"

	"github.com/gmind-go/compute/internal/ir"
)

// String returns the program in canonical text, from which Parse makes an equal program. It
// is in the short form if that can express the program. Values that are used several times
// are local variables.
func (p *Program) String() string {
	if err := p.Err(); err != nil {
		return err.Error()
	}
	t := printer{p: p.ir, names: make([]string, len(p.ir.Nodes))}
	t.choose()
	if t.isShort() {
		names := make([]string, len(p.ir.Args))
		for i, a := range p.ir.Args {
			names[i] = a.Name
		}
		return fmt.Sprintf("%s(%s) = %s", p.ir.Name, strings.Join(names, ", "), t.definition(p.ir.Results[0].Value))
	}
	return t.function()
}

// A printer writes the text of a program.
type printer struct {
	p     *ir.Program
	names []string // of the variables for nodes, or empty
}

// choose names the nodes that become variables: results, and what is used several times.
func (t *printer) choose() {
	taken := map[string]bool{}
	for _, a := range t.p.Args {
		taken[a.Name] = true
	}
	uses := make([]int, len(t.p.Nodes))
	for _, r := range t.p.Results {
		taken[r.Name] = true
		if t.isOperation(r.Value) && t.names[r.Value] == "" {
			t.names[r.Value] = r.Name
		}
	}
	for _, n := range t.p.Nodes {
		for _, x := range n.Operands() {
			uses[x]++
		}
	}
	next := 1
	for v := range t.p.Nodes {
		if uses[v] < 2 || !t.isOperation(ir.Value(v)) || t.names[v] != "" {
			continue
		}
		for t.names[v] == "" || taken[t.names[v]] {
			t.names[v] = fmt.Sprintf("t%d", next)
			next++
		}
	}
}

// isOperation reports whether v is neither an argument nor a constant.
func (t *printer) isOperation(v ir.Value) bool { return t.p.Nodes[v].Op > ir.Const }

// isShort reports whether the short form can express the program.
func (t *printer) isShort() bool {
	if len(t.p.Results) != 1 || t.p.Nodes[t.p.Results[0].Value].Type != ir.F32 {
		return false
	}
	for _, a := range t.p.Args {
		if a.Type != ir.F32 {
			return false
		}
	}
	if t.p.Results[0].Name != unnamed("y", func(name string) bool { return t.p.ArgIndex(name) >= 0 }) {
		return false
	}
	for v, name := range t.names {
		if name != "" && ir.Value(v) != t.p.Results[0].Value {
			return false
		}
	}
	return true
}

// function returns the long form.
func (t *printer) function() string {
	var s strings.Builder
	fmt.Fprintf(&s, "func %s(", t.p.Name)
	args := make([]Param, len(t.p.Args))
	for i, a := range t.p.Args {
		args[i] = Param{a.Name, Type(a.Type)}
	}
	results := make([]Param, len(t.p.Results))
	declared := map[string]bool{}
	for i, r := range t.p.Results {
		results[i] = Param{r.Name, Type(t.p.Nodes[r.Value].Type)}
		declared[r.Name] = true
	}
	fmt.Fprintf(&s, "%s) (%s) {\n", list(args), list(results))
	for v, name := range t.names {
		if name == "" {
			continue
		}
		assign := ":="
		if declared[name] {
			assign = "="
		}
		fmt.Fprintf(&s, "\t%s %s %s\n", name, assign, t.definition(ir.Value(v)))
	}
	for _, r := range t.p.Results {
		if t.names[r.Value] != r.Name {
			fmt.Fprintf(&s, "\t%s = %s\n", r.Name, t.expression(r.Value))
		}
	}
	s.WriteString("\treturn\n}")
	return s.String()
}

// list returns parameters as Go writes them, with each type once for neighbours.
func list(params []Param) string {
	var s strings.Builder
	for i, p := range params {
		if i > 0 {
			s.WriteString(", ")
		}
		s.WriteString(p.Name)
		if i+1 == len(params) || params[i+1].Type != p.Type {
			s.WriteString(" " + p.Type.String())
		}
	}
	return s.String()
}

// unary is the precedence of an operator with one operand, and primary that of what needs no
// parentheses anywhere.
const (
	unary   = token.UnaryPrec
	primary = token.HighestPrec
)

// expression returns a value where nothing surrounds it: its name, if it has one.
func (t *printer) expression(v ir.Value) string { return t.operand(v, token.LowestPrec) }

// operand returns a value in parentheses if its precedence is below the least.
func (t *printer) operand(v ir.Value, least int) string {
	if t.names[v] != "" {
		return t.names[v]
	}
	s, precedence := t.node(v)
	if precedence < least {
		return "(" + s + ")"
	}
	return s
}

// definition returns what v is, though it has a name.
func (t *printer) definition(v ir.Value) string {
	s, _ := t.node(v)
	return s
}

// node returns what v is, and the precedence of that.
func (t *printer) node(v ir.Value) (string, int) {
	n := &t.p.Nodes[v]
	info := n.Op.Info()
	name := info.Name
	switch x := n.Operands(); {
	case n.Op == ir.Arg:
		return t.p.Args[n.Imm].Name, primary
	case n.Op == ir.Const:
		return constantText(n)
	case n.Op == ir.Not && t.names[x[0]] == "" && isEqual(t.p.Nodes[x[0]].Op):
		return t.binary("!=", t.p.Nodes[x[0]].In[0], t.p.Nodes[x[0]].In[1])
	case n.Op == ir.XorU32 && t.p.Nodes[x[1]] == ir.Node{Op: ir.Const, Type: ir.U32, Imm: math.MaxUint32}:
		return "^" + t.operand(x[0], primary), unary
	case info.Called():
		return name + "(" + t.operands(n) + ")", primary
	case len(x) == 1:
		return name + t.operand(x[0], primary), unary
	case name[0] == '<' && len(name) <= 2 && name != "<<" && t.p.Nodes[x[0]].Op == ir.Const:
		return t.binary(">"+name[1:], x[1], x[0]) // x >= 0 reads better than 0 <= x
	default:
		return t.binary(name, x[0], x[1])
	}
}

func isEqual(op ir.Op) bool { return op == ir.EqF32 || op == ir.EqU32 }

// binary returns an operation that is written between its operands.
func (t *printer) binary(name string, x, y ir.Value) (string, int) {
	precedence := precedences[name]
	return t.operand(x, precedence) + " " + name + " " + t.operand(y, precedence+1), precedence
}

// operands returns the operands of a call. Integers that would be taken for float32 have their
// type.
func (t *printer) operands(n *ir.Node) string {
	var s []string
	for _, x := range n.Operands() {
		s = append(s, t.expression(x))
	}
	if n.Op == ir.WhereU32 && t.p.Nodes[n.In[1]].Op == ir.Const && t.p.Nodes[n.In[2]].Op == ir.Const {
		s[1] = "uint32(" + s[1] + ")"
	}
	return strings.Join(s, ", ")
}

// constantText returns a constant and its precedence.
func constantText(n *ir.Node) (string, int) {
	switch n.Type {
	case ir.Bool:
		return strconv.FormatBool(n.Imm != 0), primary
	case ir.U32:
		return strconv.FormatUint(n.Imm, 10), primary
	}
	x := float64(math.Float32frombits(uint32(n.Imm)))
	switch {
	case math.IsNaN(x), math.IsInf(x, 0), x == 0 && n.Imm != 0:
		return fmt.Sprintf("frombits(%#x)", n.Imm), primary
	case x < 0:
		return strconv.FormatFloat(x, 'g', -1, 32), unary
	}
	return strconv.FormatFloat(x, 'g', -1, 32), primary
}

// precedences has those of Go.
var precedences = map[string]int{}

func init() {
	for name, t := range operators {
		precedences[name] = t.Precedence()
	}
}
