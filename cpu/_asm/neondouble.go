package main

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gmind-go/compute/internal/ir"
)

// arrangement returns how assembly writes the lanes of a vector.
func arrangement(t ir.Type) string {
	if t.Wide() {
		return "D2"
	}
	return "S4"
}

// halves returns how many vectors the float64 of one vector of float32 take.
func (f *neonFunc) halves() int {
	if f.lanes == 1 {
		return 1
	}
	return 2
}

// parts returns how many vectors a value has.
func (f *neonFunc) parts(t ir.Type) int {
	if t.Wide() {
		return f.count * f.halves()
	}
	return f.count
}

// lengthen makes float64 of one half of a vector. The second half may overwrite the vector.
func (f *neonFunc) lengthen(v ir.Value, u int) (d int, steps []string) {
	x := f.operands(v)[0]
	from, op := f.reg(x, u/f.halves()), "VFCVTL"
	last := u%f.halves() == f.halves()-1
	if last && f.lanes > 1 {
		op = "VFCVTL2"
	}
	if d = from; !last || !f.dies(x, v) {
		d = f.take()
	}
	return d, []string{fmt.Sprintf("%s(%d, %d)", op, from, d)}
}

// shorten makes a vector of float32 of two halves. It may overwrite the first.
func (f *neonFunc) shorten(v ir.Value, u int) (d int, steps []string) {
	x := f.operands(v)[0]
	d = f.over(v, u*f.halves(), x)
	steps = []string{fmt.Sprintf("VFCVTN(%d, %d)", f.reg(x, u*f.halves()), d)}
	if f.lanes > 1 {
		steps = append(steps, fmt.Sprintf("VFCVTN2(%d, %d)", f.reg(x, 2*u+1), d))
	}
	return d, steps
}

// whereDouble doubles each lane of one half of the condition.
func (f *neonFunc) whereDouble(v ir.Value, u int) (d int, steps []string) {
	in := f.operands(v)
	c := f.reg(in[0], u/f.halves())
	op := "VZIP1"
	if u%f.halves() == 1 {
		op = "VZIP2"
	}
	d = f.take()
	return d, []string{
		fmt.Sprintf("%s V%d.S4, V%[2]d.S4, V%d.S4", op, c, d),
		fmt.Sprintf("VBSL V%d.B16, V%d.B16, V%d.B16", f.reg(in[2], u), f.reg(in[1], u), d),
	}
}

// onlyFactor reports whether v, a negation, is only a factor of what is added to something:
// that is subtracted then.
func (f *neonFunc) onlyFactor(v ir.Value) bool {
	for _, r := range f.body.Results {
		if r.Value == v {
			return false
		}
	}
	for _, n := range f.body.Nodes {
		for i, x := range n.Operands() {
			if x == v && (n.Op != ir.FMAF64 || i == 2) {
				return false
			}
		}
	}
	return true
}

// negative reports whether v subtracts the product of its operands.
func (f *neonFunc) negative(v ir.Value) bool {
	negative := false
	for _, x := range f.body.Nodes[v].Operands()[:2] {
		for ; f.root(x) != x; x = f.body.Nodes[x].In[0] {
			negative = negative != (f.body.Nodes[x].Op == ir.NegF64)
		}
	}
	return negative
}

func isConst(h hoist) bool { return h.what == "const" || h.what == "double" }

// constantOf returns a constant as a hoist.
func constantOf(n ir.Node) hoist {
	switch {
	case n.Type == ir.Bool:
		return hoist{"const", uint64(-uint32(n.Imm))}
	case n.Type.Wide() && n.Imm != 0:
		return hoist{"double", n.Imm}
	}
	return hoist{"const", n.Imm}
}

// choices returns sets of constants to have in registers, the largest first: nil, which is all,
// if no value has 64 bits. What is only added to a product is in none, as it has to be
// copied to a register for each vector, from another one or from memory.
func (s *spec) choices() []map[hoist]bool {
	if !s.wide() {
		return []map[hoist]bool{nil}
	}
	uses := map[hoist]int{}
	var list []hoist
	for _, n := range s.body.Nodes {
		for i, x := range n.Operands() {
			c := s.body.Nodes[x]
			if c.Op != ir.Const || i == 2 && n.Op == ir.FMAF64 || i == 1 && n.Op.Info().Counts {
				continue
			}
			h := constantOf(c)
			if uses[h]++; uses[h] == 1 {
				list = append(list, h)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b hoist) int { return cmp.Compare(uses[b], uses[a]) })
	var sets []map[hoist]bool
	for n := len(list); n >= 0; n-- {
		set := map[hoist]bool{}
		for _, h := range list[:n] {
			set[h] = true
		}
		sets = append(sets, set)
	}
	return sets
}

// copy returns what copies vector u of v to register d. A constant comes from memory, even if
// a register has it, since loads do not occupy what computes.
func (f *neonFunc) copy(v ir.Value, u, d int) string {
	if h, ok := f.uniform(v); ok && f.constants != nil && isConst(h) {
		return f.loadConstant(h, d)
	}
	return move(f.reg(v, u), d)
}

// temporary returns a register with a constant from memory, for one node.
func (f *neonFunc) temporary(h hoist) int {
	if r, ok := f.temps[h]; ok {
		return r
	}
	r := f.take()
	f.temps[h] = r
	f.printf("%s", f.loadConstant(h, r))
	return r
}

// loadConstant returns what loads a constant.
func (f *neonFunc) loadConstant(h hoist, to int) string {
	at := slices.Index(f.memory, h)
	if at < 0 {
		at = len(f.memory)
		f.memory = append(f.memory, h)
	}
	return fmt.Sprintf("FMOVQ %d(R12), F%d", 16*at, to)
}

// data writes the constants in memory.
func (f *neonFunc) data() {
	if len(f.memory) == 0 {
		return
	}
	fmt.Fprintf(&f.loops, "\n")
	for i, h := range f.memory {
		bits := h.bits
		if h.what == "const" {
			bits |= bits << 32
		}
		for lane := range 2 {
			fmt.Fprintf(&f.loops, "DATA %sConstants<>+%d(SB)/8, $%#016x\n", f.name, 16*i+8*lane, bits)
		}
	}
	fmt.Fprintf(&f.loops, "GLOBL %sConstants<>(SB), RODATA|NOPTR, $%d\n", f.name, 16*len(f.memory))
}
