package shard

import (
	"math"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
)

// run computes c, of a program, on all members.
func (d *device) run(code *code, c *driver.Call) error {
	l := &lent{device: d}
	return l.release(l.run(code, c))
}

func (l *lent) run(code *code, c *driver.Call) error {
	results := len(c.Kernel.Results)
	parts := place(c, 0)
	in := &inputs{lent: l, call: c, operands: c.Operands[results:]}
	calls := make([][]compute.Arg, len(parts))
	var back []moved
	for k := range parts {
		p := &parts[k]
		for i, o := range c.Operands[:results] {
			m := o.Memory.(memory)
			if c.Kernel.Results[i] == kernel.Bit {
				calls[k] = append(calls[k], m[k].held)
				continue
			}
			buf, err := l.output(p.member, m.cut(p.from, p.to), false, &back)
			if err != nil {
				return err
			}
			calls[k] = append(calls[k], buf)
		}
		args, err := in.stage(p.member, p.from, p.to)
		if err != nil {
			return err
		}
		calls[k] = append(calls[k], args...)
	}
	err := l.each(parts, func(k int, p *part) error {
		defer p.launched.Store(true)
		free, err := in.upload(p.member, calls[k][results:])
		defer free()
		if err != nil {
			return err
		}
		return p.Run(code.program, calls[k]...)
	})
	if err != nil {
		return err
	}
	return l.moveBack(back)
}

// place returns parts in which to compute c: those of its masks, or else those that most operands
// have, from the one with the index on. It is nil if all of these are repeated.
func place(c *driver.Call, from int) memory {
	results := len(c.Kernel.Results)
	var best memory
	most := 0
	for i, o := range c.Operands[from:] {
		i += from
		if i >= results && repeats(c.Kernel.Inputs[i-results]) {
			continue
		}
		m := o.Memory.(memory)
		if address(c, i) == kernel.Bit {
			return m
		}
		same := 0
		for j, other := range c.Operands[from:] {
			if address(c, from+j) == kernel.Element && m.alike(other.Memory.(memory)) {
				same++
			}
		}
		if same > most {
			best, most = m, same
		}
	}
	return best
}

// address returns that of an operand of c.
func address(c *driver.Call, i int) kernel.Address {
	if results := len(c.Kernel.Results); i >= results {
		return c.Kernel.Inputs[i-results]
	}
	return c.Kernel.Results[i]
}

// inputs are those of a call. What is repeated may lie in parts on the members, and each of them
// needs the whole: it is read once, and uploaded to each.
type inputs struct {
	*lent
	call     *driver.Call
	operands []kernel.Operand[driver.Memory]
	repeated map[int][]float32 // by input
}

// stage returns the arguments of the call on a member, for the elements from one index to another:
// those of a part, if there are masks. What is repeated and lies elsewhere is a Slice, for upload.
func (in *inputs) stage(at *member, from, to int) ([]compute.Arg, error) {
	args := make([]compute.Arg, 0, len(in.operands)+len(in.call.Params)+1)
	for i, o := range in.operands {
		m := o.Memory.(memory)
		switch a := in.call.Kernel.Inputs[i]; {
		case a == kernel.Bit:
			for _, p := range m {
				if p.from == from {
					args = append(args, p.held)
				}
			}
		case a == kernel.Element:
			buf, err := in.input(at, m.cut(from, to))
			if err != nil {
				return nil, err
			}
			args = append(args, buf)
		default:
			of, err := in.whole(at, i, m)
			if err != nil {
				return nil, err
			}
			args = append(args, compute.Repeated{Of: of, Col: a == kernel.Col})
		}
	}
	args = append(args, scalars(in.call.Kernel, in.call.Params)...)
	return append(args, kernel.At{Index: in.call.Index + uint64(from), Total: in.call.Total, N: to - from}), nil
}

// whole returns m, the repeated input i: a buffer if it is on the member, or else a Slice.
func (in *inputs) whole(at *member, i int, m memory) (compute.Arg, error) {
	if len(m) == 1 && m[0].member == at {
		return m[0].held, nil
	}
	if in.repeated[i] == nil {
		host := make([]float32, m.len())
		if err := in.Read(m, host); err != nil {
			return nil, err
		}
		if in.repeated == nil {
			in.repeated = map[int][]float32{}
		}
		in.repeated[i] = host
	}
	return compute.Slice(in.repeated[i]), nil
}

// upload puts buffers on a member in place of the slices in args, which free releases.
func (in *inputs) upload(at *member, args []compute.Arg) (free func(), err error) {
	var made []compute.Buffer
	free = func() {
		for _, buf := range made {
			buf.Release()
		}
	}
	for i, arg := range args {
		r, _ := arg.(compute.Repeated)
		host, ok := r.Of.(compute.Slice)
		if !ok {
			continue
		}
		buf, err := at.Upload(host)
		if err != nil {
			return free, err
		}
		made = append(made, buf)
		args[i] = compute.Repeated{Of: buf, Col: r.Col}
	}
	return free, nil
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
