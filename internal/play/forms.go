package play

import (
	"fmt"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// refusal returns the error of a call of f on operands. If several are possible it is the
// first of activation, foreign, released and length. The last operand has the length.
func refusal(f compute.Activation, operands ...*held) error {
	switch err := f.Validate(); {
	case is(err, compute.ErrActivation):
		return compute.ErrActivation
	case err != nil:
		return compute.ErrSlope
	}
	last := operands[len(operands)-1]
	for _, h := range operands {
		if h.foreign {
			return compute.ErrForeignBuffer
		}
	}
	for _, h := range operands {
		if h.released {
			return compute.ErrClosed
		}
	}
	for _, h := range operands {
		if h.n != last.n {
			return compute.ErrLength
		}
	}
	return nil
}

// operate calls fm. The script chooses the last buffer first, then the other operands in
// the order of the call, usually of the same length.
func (p *Player) operate(fm form.Form) error {
	f := p.activation()
	operands := fm.Operands()
	last := operands[len(operands)-1]
	if last == form.M {
		last = operands[len(operands)-2]
	}
	var args form.Args
	picked := map[form.Operand]*held{}
	pick := func(o form.Operand) {
		if o == form.M {
			picked[o] = p.mask(picked[last])
			args.M = picked[o].mask()
		} else if picked[o] == nil {
			picked[o] = p.buffer(picked[last])
			*args.Buffer(o) = picked[o].buffer()
		}
	}
	pick(last)
	var all []*held
	for _, o := range operands {
		pick(o)
		all = append(all, picked[o])
	}
	want := refusal(f, all...)
	if fm.Masked() && !f.HasBit() && f.Validate() == nil {
		want = compute.ErrActivation
	}
	if y := picked[form.Y]; want == nil && y != nil && y == picked[form.D] {
		want = compute.ErrOverlap
	}
	done, err := p.call(want, func() error { return fm.Run(p.s.b, f, args) })
	if !done {
		return err
	}
	known := !p.flushed(f.Params[:])
	inputs := map[form.Operand][]float32{}
	for _, o := range fm.Inputs() {
		known = known && picked[o].known
		inputs[o] = picked[o].values
	}
	for _, o := range fm.Results() {
		p.set(picked[o], o, f, known, inputs)
	}
	return nil
}

// set makes h hold the result o of f, if the inputs were known.
func (p *Player) set(h *held, o form.Operand, f compute.Activation, known bool, inputs map[form.Operand][]float32) {
	h.values, h.copied, h.known = make([]float32, h.n), false, false
	if !known {
		return
	}
	xs, dys, bits := inputs[form.X], inputs[form.DY], inputs[form.M]
	for i := range h.values {
		switch {
		case o == form.M:
			h.values[i] = float32(form.Bit(f, xs[i]))
		case bits != nil:
			h.values[i] = form.OfBit(f, dys[i], uint64(bits[i]))
		case dys != nil:
			h.values[i] = o.Want(f, dys[i], xs[i])
		default:
			h.values[i] = o.Want(f, 0, xs[i])
		}
	}
	h.known = !p.flushed(h.values)
}

func (p *Player) readMask() error {
	m := p.mask(nil)
	n := p.hostLength(m.n)
	if m.foreign {
		return nil
	}
	words := form.MaskWords(n)
	got, err := read(p, m, words, form.MaskWords(m.n), 1, 0xaaaa5555aaaa5555, m.mask().Read)
	if got == nil {
		return err
	}
	for i := range 64 * words {
		bit := got[i/64]>>(i%64)&1 == 1
		if i >= m.n && bit || i < m.n && m.known && bit != (m.values[i] == 1) {
			return fmt.Errorf("bit %d of %d is %v", i, m.n, bit)
		}
	}
	p.Elements += int64(m.n)
	return nil
}
