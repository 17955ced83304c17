package cpu

import (
	"sync/atomic"
	"unsafe"

	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/ir"
	program "github.com/gmind-go/compute/internal/kernel"
)

// code is what computes a kernel of a program: kernels of the instruction set, in one loop, or
// a plan.
type code struct {
	operands []program.Address // results, then inputs
	results  int
	bits     int          // that move for each element
	cost     atomic.Int64 // 0 until it is measured

	plain       kernel // nil for a plan
	nonTemporal kernel // or nil

	direct *plan
	staged *plan    // for calls in which a result replaces an input too early; nil without any
	early  [][2]int // operands, a result and an input, that are such if they are the same memory
}

// compile returns the code of k.
func (s *instructionSet) compile(k *program.Kernel) (*code, error) {
	c := &code{results: len(k.Results), bits: k.Bits()}
	c.operands = append(append(c.operands, k.Results...), k.Inputs...)
	if kind, fm, ok := function.Shipped(k); ok && kind < len(s.plain) && s.plain[kind][fm] != nil {
		c.plain = s.plain[kind][fm]
		if s.nonTemporal != nil {
			c.nonTemporal = s.nonTemporal[kind][fm]
		}
		return c, nil
	}
	if op, ok := alone(k); ok && s.primitives[op][0] != nil {
		c.plain, c.nonTemporal = s.primitives[op][0], s.nonTemporalFunctions[op]
		return c, nil
	}
	var err error
	if c.direct, err = newPlan(s, k, false); err != nil {
		return nil, err
	}
	for r, written := range c.direct.writes {
		for i, read := range c.direct.reads {
			if written < read {
				c.early = append(c.early, [2]int{r, c.results + i})
			}
		}
	}
	if len(c.early) > 0 {
		c.staged, err = newPlan(s, k, true)
	}
	return c, err
}

// alone returns the function that k computes for each element of a buffer, if it is one.
func alone(k *program.Kernel) (op ir.Op, ok bool) {
	nodes := k.Body.Nodes
	if len(nodes) != 2 || len(k.Results) != 1 || !nodes[1].Op.Info().Function {
		return 0, false
	}
	return nodes[1].Op, k.Results[0] == program.Element && len(k.Inputs) == 1 && k.Inputs[0] == program.Element
}

// plan returns the plan for operands.
func (c *code) plan(operands []program.Operand[unsafe.Pointer]) *plan {
	for _, pair := range c.early {
		if operands[pair[0]].Memory == operands[pair[1]].Memory {
			return c.staged
		}
	}
	return c.direct
}

// offset returns the bytes from element 0 of an operand to element i, a multiple of 64 for a
// mask.
func offset(a program.Address, i int) int {
	switch a {
	case program.Element:
		return 4 * i
	case program.Bit:
		return i / 8
	}
	return 0
}
