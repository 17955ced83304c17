package ir

import (
	"math"
	"slices"
)

// A Builder makes a program, node by node. Equal nodes become one; nothing else is
// simplified. The zero Builder is ready for use.
type Builder struct {
	args    []Param
	nodes   []Node
	results []Result
	tables  []Table
	known   map[Node]Value
}

// Arg adds an argument.
func (b *Builder) Arg(name string, t Type) Value {
	b.args = append(b.args, Param{name, t})
	return b.node(Node{Op: Arg, Type: t, Imm: uint64(len(b.args) - 1)})
}

// Const returns a constant, given its bits. All NaNs are one constant.
func (b *Builder) Const(t Type, bits uint64) Value {
	if t == F32 {
		bits = canonical(bits)
	}
	return b.node(Node{Op: Const, Type: t, Imm: bits})
}

// Float32 returns a constant.
func (b *Builder) Float32(x float32) Value { return b.Const(F32, uint64(math.Float32bits(x))) }

// Lookup returns the value of a table at the lowest 4 bits of index, a uint64.
func (b *Builder) Lookup(t Table, index Value) Value {
	i := slices.Index(b.tables, t)
	if i < 0 {
		i = len(b.tables)
		b.tables = append(b.tables, t)
	}
	return b.node(Node{Op: Lookup, Type: F64, In: [3]Value{index}, Imm: uint64(i)})
}

// Op returns the operation applied to operands of its types.
func (b *Builder) Op(op Op, operands ...Value) Value {
	info := &table[op]
	if info.define != nil {
		return info.define(b, operands)
	}
	n := Node{Op: op, Type: info.Out}
	copy(n.In[:], operands)
	return b.node(n)
}

// Result adds a result.
func (b *Builder) Result(name string, v Value) { b.results = append(b.results, Result{name, v}) }

// Type returns the type of a value.
func (b *Builder) Type(v Value) Type { return b.nodes[v].Type }

// IsConst reports whether v is a constant.
func (b *Builder) IsConst(v Value) bool { return b.nodes[v].Op == Const }

// Inline adds the nodes of p, with args in place of its arguments, and returns the values of
// all of them.
func (b *Builder) Inline(p *Program, args []Value) []Value {
	values := make([]Value, len(p.Nodes))
	for i, n := range p.Nodes {
		if n.Op == Arg {
			values[i] = args[n.Imm]
			continue
		}
		for j, x := range n.Operands() {
			n.In[j] = values[x]
		}
		if n.Op == Lookup {
			values[i] = b.Lookup(p.Tables[n.Imm], n.In[0])
			continue
		}
		values[i] = b.node(n)
	}
	return values
}

// node returns the node, which may exist with its first operands exchanged.
func (b *Builder) node(n Node) Value {
	key := n
	if table[n.Op].Commutes && n.In[0] > n.In[1] {
		key.In[0], key.In[1] = n.In[1], n.In[0]
	}
	if v, ok := b.known[key]; ok {
		return v
	}
	if b.known == nil {
		b.known = map[Node]Value{}
	}
	v := Value(len(b.nodes))
	b.nodes = append(b.nodes, n)
	b.known[key] = v
	return v
}

// Program returns the program of the results, without nodes that they do not need, in the
// order that Program documents.
func (b *Builder) Program(name string) *Program {
	p := &Program{Name: name, Args: slices.Clone(b.args), Tables: slices.Clone(b.tables)}
	moved := make([]Value, len(b.nodes)) // where a node is, plus 1
	var move func(v Value) Value
	move = func(v Value) Value {
		if moved[v] == 0 {
			n := b.nodes[v]
			for i, x := range n.Operands() {
				n.In[i] = move(x)
			}
			p.Nodes = append(p.Nodes, n)
			moved[v] = Value(len(p.Nodes))
		}
		return moved[v] - 1
	}
	for _, r := range b.results {
		p.Results = append(p.Results, Result{r.Name, move(r.Value)})
	}
	return p
}

// Bits returns the bits of a constant.
func (b *Builder) Bits(v Value) uint64 { return b.nodes[v].Imm }
