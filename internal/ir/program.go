package ir

import (
	"fmt"
	"slices"
)

// A Value is the index of a node.
type Value int32

// A Node computes one value from those of earlier nodes.
type Node struct {
	Op   Op
	Type Type     // of the value
	In   [3]Value // the operands: as many as the row of Op has, then zeros
	Imm  uint64   // of an Arg, a Const or a Lookup
}

// Operands returns the operands.
func (n *Node) Operands() []Value { return n.In[:len(table[n.Op].In)] }

// A Param is the name and the type of an argument.
type Param struct {
	Name string
	Type Type
}

// A Result is a value that a program returns.
type Result struct {
	Name  string
	Value Value
}

// A Program is a function of one element. It is not changed once it is built.
//
// Every node is needed for a result. The nodes are in the order in which a depth-first walk
// over the results and their operands leaves them, so equal programs have equal nodes.
type Program struct {
	Name    string
	Args    []Param // all of them; one that no node uses has no Arg
	Nodes   []Node
	Results []Result
	Tables  []Table // of each Lookup
}

// A Table has the bits of 16 float64.
type Table [16]uint64

// Equal reports whether the programs have the same names, types and nodes.
func (p *Program) Equal(q *Program) bool {
	return p.Name == q.Name && slices.Equal(p.Args, q.Args) &&
		slices.Equal(p.Nodes, q.Nodes) && slices.Equal(p.Results, q.Results) && slices.Equal(p.Tables, q.Tables)
}

// Size returns the number of operations: nodes that are no argument and no constant.
func (p *Program) Size() int {
	size := 0
	for _, n := range p.Nodes {
		if n.Op > Const {
			size++
		}
	}
	return size
}

// ArgIndex returns the index of the argument with the name, or -1.
func (p *Program) ArgIndex(name string) int {
	return slices.IndexFunc(p.Args, func(a Param) bool { return a.Name == name })
}

// Eval computes the values of all nodes for the element with the index, from the arguments.
// It is the reference. values has the length of Nodes; result i is
// values[p.Results[i].Value].
func (p *Program) Eval(values []uint64, index uint64, args []uint64) {
	for i := range p.Nodes {
		n := &p.Nodes[i]
		switch info := &table[n.Op]; {
		case n.Op == Arg:
			values[i] = args[n.Imm]
		case n.Op == Const:
			values[i] = n.Imm
		case n.Op == Lookup:
			values[i] = p.Tables[n.Imm][values[n.In[0]]%16]
		case info.Indexed:
			values[i] = info.eval(values[n.In[0]], values[n.In[1]], index)
		default:
			values[i] = info.eval(values[n.In[0]], values[n.In[1]], values[n.In[2]])
		}
	}
}

// Check returns an error that names the first node that is not well formed. It is for tests:
// a Builder makes none.
func (p *Program) Check() error {
	for i := range p.Nodes {
		n := &p.Nodes[i]
		if err := p.check(Value(i)); err != nil {
			return fmt.Errorf("node %d, %s of %v: %w", i, table[n.Op].Name, n.Operands(), err)
		}
	}
	for _, r := range p.Results {
		if r.Value < 0 || int(r.Value) >= len(p.Nodes) {
			return fmt.Errorf("the result %s is node %d of %d", r.Name, r.Value, len(p.Nodes))
		}
	}
	return nil
}

func (p *Program) check(v Value) error {
	n := &p.Nodes[v]
	info := &table[n.Op]
	switch {
	case n.Op == Arg && (n.Imm >= uint64(len(p.Args)) || p.Args[n.Imm].Type != n.Type):
		return fmt.Errorf("argument %d of type %v", n.Imm, n.Type)
	case n.Op == Lookup && n.Imm >= uint64(len(p.Tables)):
		return fmt.Errorf("table %d of %d", n.Imm, len(p.Tables))
	case n.Op > Const && (info.eval == nil && n.Op != Lookup || info.Out != n.Type):
		return fmt.Errorf("type %v", n.Type)
	}
	for i, x := range n.Operands() {
		switch {
		case x < 0 || x >= v:
			return fmt.Errorf("operand %d comes later", i)
		case p.Nodes[x].Type != info.In[i]:
			return fmt.Errorf("operand %d is %v and should be %v", i, p.Nodes[x].Type, info.In[i])
		case i == 1 && info.Counts && p.Nodes[x].Op != Const:
			return fmt.Errorf("the count is no constant")
		}
	}
	return nil
}
