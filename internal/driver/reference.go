package driver

import (
	"math"

	"github.com/gmind-go/compute/internal/kernel"
)

// Eval computes c with the reference evaluator, element by element.
func Eval(c *HostCall) {
	k := c.Kernel
	inputs := c.Operands[len(k.Results):]
	values := make([]uint64, len(k.Body.Nodes))
	args := make([]uint64, len(k.Inputs)+len(k.Params))
	for i, p := range c.Params {
		args[len(k.Inputs)+i] = uint64(p)
	}
	for i := range c.N {
		index := c.Index + uint64(i)
		for j, o := range inputs {
			args[j] = value(k.Inputs[j], o, i, index)
		}
		k.Body.Eval(values, index, args)
		for j, r := range k.Body.Results {
			o, v := c.Operands[j].Memory, values[r.Value]
			if k.Results[j] == kernel.Bit {
				// The bits after the last are 0.
				w := &o.Words[i/64]
				if *w = *w&(1<<(i%64)-1) | v<<(i%64) | *w&^(1<<(i%64)<<1-1); i == c.N-1 {
					*w &= 1<<(i%64)<<1 - 1
				}
				continue
			}
			o.Floats[i] = math.Float32frombits(uint32(v))
		}
	}
}

// value returns the bits of element i of an input, which has the index in the whole call.
func value(a kernel.Address, o kernel.Operand[Host], i int, index uint64) uint64 {
	switch a {
	case kernel.Bit:
		return o.Memory.Words[i/64] >> (i % 64) & 1
	case kernel.Row:
		i = int(index % uint64(o.Len))
	case kernel.Col:
		i = int(index / uint64(o.Period))
	}
	return uint64(math.Float32bits(o.Memory.Floats[i]))
}
