package openclc

import (
	"errors"
	"fmt"

	"github.com/gmind-go/compute/internal/ir"
)

// stepOf has the name in softfloat.cl of each operation that bodies use.
var stepOf = map[ir.Op]string{
	ir.NegF32: "NEG32", ir.AddF32: "ADD32", ir.MulF32: "MUL32", ir.FMA: "FMA32",
	ir.Abs: "ABS32", ir.Copysign: "COPYSIGN32", ir.Min: "MIN32", ir.Max: "MAX32",
	ir.EqF32: "EQUAL32", ir.LtF32: "LESS32", ir.LeF32: "AT_MOST32",

	ir.NegF64: "NEG64", ir.AddF64: "ADD64", ir.SubF64: "SUB64", ir.MulF64: "MUL64", ir.DivF64: "DIV64", ir.FMAF64: "FMA64",
	ir.AddU64: "ADD", ir.AndU64: "AND", ir.OrU64: "OR", ir.ShlU64: "SHL", ir.ShrU64: "SHR",
	ir.F64FromF32: "FROM32", ir.F32FromF64: "TO32", ir.BitsF64: "SAME", ir.FromBitsF64: "SAME",

	ir.WhereF32: "WHERE", ir.WhereF64: "WHERE",
}

// Step returns the name of the operation in kernels/softfloat.cl, or "" if it is not there.
func Step(op ir.Op) string { return stepOf[op] }

// registers is how many registers softfloat.cl has. Operands from there on are constants.
const registers = 32

// inIntegers prints a function of one element, given as its bits, from its body: as steps that a
// function of softfloat.cl takes one after another. As statements the operations would make a
// kernel so large, on devices that put every function where it is called, that it takes
// minutes to compile.
func (p *printer) inIntegers(name string, body *ir.Program) error {
	last := make([]int, len(body.Nodes)) // the last node that needs a node
	for i := range body.Nodes {
		for _, x := range body.Nodes[i].Operands() {
			last[x] = i
		}
	}
	var free []int
	for r := registers - 1; r > 0; r-- {
		free = append(free, r)
	}
	numbers, steps := []uint64{}, []string{}
	at := make([]int, len(body.Nodes)) // where a node is; x is in register 0
	for i := range body.Nodes {
		n := &body.Nodes[i]
		switch n.Op {
		case ir.Arg:
			continue
		case ir.Const:
			at[i] = registers + len(numbers)
			numbers = append(numbers, n.Imm)
			continue
		}
		step, ok := stepOf[n.Op]
		if !ok {
			return fmt.Errorf("%s in integers on OpenCL: %w", n.Op.Info().Name, errors.ErrUnsupported)
		}
		var operands [3]int
		for j, x := range n.Operands() {
			operands[j] = at[x]
			if last[x] == i && 0 < at[x] && at[x] < registers {
				last[x] = -1 // it may be another operand too
				free = append(free, at[x])
			}
		}
		if len(free) == 0 || len(numbers) > 1<<8-registers {
			return fmt.Errorf("%s in integers on OpenCL: too many values: %w", body.Name, errors.ErrUnsupported)
		}
		at[i] = free[len(free)-1]
		free = free[:len(free)-1]
		steps = append(steps, fmt.Sprintf("{%s, %d, %d, %d, %d},", step, at[i], operands[0], operands[1], operands[2]))
	}
	p.line(0, "constant ulong %s_numbers[] = {", name)
	for _, bits := range append(numbers, 0) { // an array has at least one
		p.line(1, "0x%016xul,", bits)
	}
	p.line(0, "};")
	p.line(0, "constant soft_step %s_steps[] = {", name)
	for _, step := range steps {
		p.line(1, "%s", step)
	}
	p.line(0, "};")
	p.line(0, "static uint %s(const uint x) { return computed(%[1]s_steps, %d, %[1]s_numbers, x); }", name, len(steps))
	p.out.WriteByte('\n')
	return nil
}
