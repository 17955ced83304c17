package main

import (
	"fmt"
	"slices"

	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// load loads input i.
func (f *neonFunc) load(i int) {
	v := slices.IndexFunc(f.body.Nodes, func(n ir.Node) bool { return n.Op == ir.Arg && n.Imm == uint64(i) })
	if v < 0 {
		return
	}
	p := f.pointer(i)
	at := make([]int, f.count)
	for u := range at {
		at[u] = f.take()
	}
	f.at[v] = at
	if f.inputs[i] != kernel.Bit {
		f.move(at, fmt.Sprintf("(R%d)", p), true)
		return
	}
	if f.lanes == 1 {
		f.printf("SBFX $0, R%d, $1, R5", 8+p)
		f.printf("FMOVS R5, F%d", at[0])
		f.printf("LSR $1, R%d", 8+p)
		return
	}
	word := f.take()
	f.printf("MOVHU.P 2(R%d), R5", p)
	f.printf("VDUP R5, V%d.S4", word)
	for u, d := range at {
		f.printf("VCMTST V%d.S4, V%d.S4, V%d.S4", f.hoist(hoist{"blockBits", uint64(u)}), word, d)
	}
	f.busy[word] = false
}

// store stores result i.
func (f *neonFunc) store(i int) {
	at := make([]int, f.count)
	for u := range at {
		at[u] = f.reg(f.body.Results[i].Value, u)
	}
	f.move(at, fmt.Sprintf("(R%d)", i), false)
}

// move loads or stores vectors, or an element, and advances the pointer.
func (f *neonFunc) move(at []int, pointer string, load bool) {
	one := func(op, registers string, size int) {
		memory := fmt.Sprintf("%d%s", size, pointer)
		if load {
			f.printf("%s.P %s, %s", op, memory, registers)
		} else {
			f.printf("%s.P %s, %s", op, registers, memory)
		}
	}
	pair := map[bool]string{true: "FLDPQ", false: "FSTPQ"}[load]
	switch {
	case f.lanes == 1:
		one("FMOVS", fmt.Sprintf("F%d", at[0]), 4)
	case f.count == 1:
		one("FMOVQ", fmt.Sprintf("F%d", at[0]), 16)
	default:
		for u := 0; u < f.count; u += 2 {
			one(pair, fmt.Sprintf("(F%d, F%d)", at[u], at[u+1]), 32)
		}
	}
}

// keep stores result i, a mask.
func (f *neonFunc) keep(i int) {
	v := f.body.Results[i].Value
	if f.lanes == 1 {
		f.printf("FMOVS F%d, R5", f.reg(v, 0))
		f.printf("AND R7, R5")
		f.printf("ORR R5, R%d", 8+i)
		return
	}
	sum := make([]int, f.count)
	for u := range sum {
		sum[u] = f.take()
		f.printf("VAND V%d.B16, V%d.B16, V%d.B16", f.hoist(hoist{"blockBits", uint64(u)}), f.reg(v, u), sum[u])
	}
	for half := f.count / 2; half > 0; half /= 2 {
		for u := range half {
			f.printf("VORR V%d.B16, V%d.B16, V%d.B16", sum[u+half], sum[u], sum[u])
		}
	}
	f.printf("VADDV V%[1]d.S4, V%[1]d", sum[0])
	f.printf("VMOV V%d.S[0], R5", sum[0])
	f.printf("MOVH.P R5, 2(R%d)", i)
	for _, r := range sum {
		f.busy[r] = false
	}
}
