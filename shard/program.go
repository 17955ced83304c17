package shard

import (
	"math"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// run computes c, of a program, on all members. What is repeated lies in parts on the members,
// and each of them needs the whole: it is read, and uploaded to each.
func (d *device) run(code *code, c *driver.Call) error {
	parts := c.Operands[0].Memory.(memory)
	inputs := c.Operands[len(c.Kernel.Results):]
	repeated := make([][]float32, len(inputs))
	for i, o := range inputs {
		if repeats(c.Kernel.Inputs[i]) {
			repeated[i] = make([]float32, o.Len)
			if err := d.Read(o.Memory, repeated[i]); err != nil {
				return err
			}
		}
	}
	return d.each(parts, func(k int, p *part) error {
		defer p.launched.Store(true)
		args := make([]compute.Arg, 0, len(c.Operands)+len(c.Params)+1)
		for i, o := range c.Operands {
			if j := i - len(c.Kernel.Results); j >= 0 && repeats(c.Kernel.Inputs[j]) {
				buf, err := p.Upload(repeated[j])
				if err != nil {
					return err
				}
				defer buf.Release()
				args = append(args, compute.Repeated{Of: buf, Col: c.Kernel.Inputs[j] == kernel.Col})
				continue
			}
			args = append(args, o.Memory.(memory)[k].held)
		}
		args = append(args, scalars(c.Kernel, c.Params)...)
		args = append(args, kernel.At{Index: c.Index + uint64(p.from), Total: c.Total, N: p.to - p.from})
		return p.Run(code.program, args...)
	})
}

func repeats(a kernel.Address) bool { return a == kernel.Row || a == kernel.Col }

// scalars returns the parameters of a kernel as arguments.
func scalars(k *kernel.Kernel, params []uint32) []compute.Arg {
	args := make([]compute.Arg, len(params))
	for i, bits := range params {
		switch k.Params[i] {
		case ir.F32:
			args[i] = compute.F32(math.Float32frombits(bits))
		case ir.U32:
			args[i] = compute.U32(bits)
		case ir.Bool:
			args[i] = compute.Bool(bits != 0)
		}
	}
	return args
}

// slices returns the arguments for the elements of chunk, with results in other memory.
func (st *stream) slices(chunk span, results []driver.Host) []compute.Arg {
	var args []compute.Arg
	for i, o := range st.call.Operands {
		host := o.Memory
		j := i - len(st.call.Kernel.Results)
		switch {
		case j < 0:
			host = results[i]
		case repeats(st.call.Kernel.Inputs[j]):
			args = append(args, compute.Repeated{Of: compute.Slice(host.Floats), Col: st.call.Kernel.Inputs[j] == kernel.Col})
			continue
		default:
			host = cut(host, chunk)
		}
		args = append(args, hostArg(host))
	}
	args = append(args, scalars(st.call.Kernel, st.call.Params)...)
	return append(args, kernel.At{Index: st.call.Index + uint64(chunk.from), Total: st.call.Total, N: chunk.to - chunk.from})
}

func hostArg(h driver.Host) compute.Arg {
	if h.Words != nil {
		return compute.Words(h.Words)
	}
	return compute.Slice(h.Floats)
}

// cut returns the part of h for the elements of chunk, which begins at a multiple of 64.
func cut(h driver.Host, chunk span) driver.Host {
	if h.Words != nil {
		return driver.Host{Words: h.Words[chunk.from/64 : form.MaskWords(chunk.to)]}
	}
	return driver.Host{Floats: h.Floats[chunk.from:chunk.to]}
}
