package ir

import (
	"strings"
	"testing"
)

// TestCheck checks that malformed nodes are found.
func TestCheck(t *testing.T) {
	arg := Node{Op: Arg, Type: F32}
	for want, p := range map[string]Program{
		"argument 0 of type float32":              {Nodes: []Node{arg}},
		"argument 0 of type uint32":               {Args: []Param{{"x", F32}}, Nodes: []Node{{Op: Arg, Type: U32}}},
		"operand 0 comes later":                   {Nodes: []Node{{Op: NegF32, Type: F32}}},
		"operand 1 is bool and should be float32": {Args: []Param{{"x", F32}}, Nodes: []Node{arg, {Op: Const, Type: Bool}, {Op: AddF32, Type: F32, In: [3]Value{0, 1}}}},
		"type bool":                   {Args: []Param{{"x", F32}}, Nodes: []Node{arg, {Op: NegF32, Type: Bool}}},
		"the count is no constant":    {Args: []Param{{"u", U32}}, Nodes: []Node{{Op: Arg, Type: U32}, {Op: ShlU32, Type: U32}}},
		"type float32":                {Args: []Param{{"x", F32}}, Nodes: []Node{arg, {Op: one, Type: F32}}},
		"the result y is node 1 of 1": {Args: []Param{{"x", F32}}, Nodes: []Node{arg}, Results: []Result{{"y", 1}}},
		"node 1, && of [0 0]: operand 0 is float32 and s": {Args: []Param{{"x", F32}}, Nodes: []Node{arg, {Op: And, Type: Bool}}},
	} {
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// TestEval checks that all nodes have their values, and that the index counts.
func TestEval(t *testing.T) {
	b := &Builder{}
	u := b.Arg("u", U32)
	b.Result("y", b.Op(AddU32, b.Op(RandBits, u, b.Const(U32, 0)), b.Const(U32, 1)))
	p := b.Program("f")
	values, again := make([]uint64, len(p.Nodes)), make([]uint64, len(p.Nodes))
	p.Eval(values, 0, []uint64{0})
	if want := []uint64{0, 0, 0x6b200159, 1, 0x6b20015a}; len(values) != len(want) || values[2] != want[2] || values[4] != want[4] {
		t.Errorf("%#x, want %#x", values, want)
	}
	p.Eval(again, 1, []uint64{0})
	if again[2] == values[2] {
		t.Error("the index does not count")
	}
}
