package ir

import (
	"slices"
	"strings"
	"testing"
)

// TestTable checks that every operation has a row with all that it needs, and that text can
// tell operations of one name apart by their operands.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for op := Const + 1; op < zero; op++ {
		info := op.Info()
		key := info.Name
		for _, in := range info.In {
			key += " " + in.String()
		}
		switch {
		case info.Name == "" || len(info.In) == 0 || len(info.In) > 3 || info.Doc == "":
			t.Errorf("operation %d, %s, lacks something", op, key)
		case (info.eval == nil) == (info.define == nil) && op != Lookup: // which needs the program
			t.Errorf("%s must have a reference or a definition", key)
		case info.Defined() != (op >= NeF32):
			t.Errorf("%s is not in its place", key)
		case (info.derive == nil) != (info.Slope == ""):
			t.Errorf("%s must have the derivative in words too", key)
		case seen[key]:
			t.Errorf("%s is there twice", key)
		case info.Commutes && info.In[0] != info.In[1]:
			t.Errorf("%s cannot commute", key)
		}
		seen[key] = true
	}
	if names := Functions(); !slices.Contains(names, "where") || slices.Contains(names, "||") || slices.Contains(names, "twosum") {
		t.Errorf("functions of text: %s", strings.Join(names, " "))
	}
}

// TestCommutes checks that exchanging the operands of an operation that commutes changes
// nothing, and of one that does not, something.
func TestCommutes(t *testing.T) {
	sample := func(t Type) []uint64 {
		switch t {
		case F32:
			return []uint64{0, sign, fromF32(1), fromF32(-2.5), fromF32(3e38), 1}
		case F64:
			return []uint64{0, 0x3ff8 << 48, 0xc008 << 48, 1}
		}
		return []uint64{0, 1}
	}
	for _, op := range Ops() {
		info := op.Info()
		if len(info.In) < 2 || info.In[0] != info.In[1] || info.Counts {
			continue
		}
		differs := false
		for _, a := range sample(info.In[0]) {
			for _, b := range sample(info.In[1]) {
				differs = differs || info.eval(a, b, 1) != info.eval(b, a, 1)
			}
		}
		if differs == info.Commutes {
			t.Errorf("%s of %v: Commutes is %v", info.Name, info.In, info.Commutes)
		}
	}
}
