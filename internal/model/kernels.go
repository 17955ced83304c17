package model

import (
	"fmt"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// refusal returns the error of a call of f on operands, the last of which gives the
// length: of several that it could be, the first of activation, foreign, released
// and length.
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

// set makes b hold what a kernel computed: value of each element, if the operands
// were known.
func (p *Player) set(b *buffer, f compute.Activation, known bool, value func(i int) float32) {
	result := make([]float32, b.n)
	for i := range result {
		result[i] = value(i)
	}
	b.values, b.copied = result, false
	b.known = known && !p.flushed(result) && !p.flushed([]float32{f.NegativeSlope})
}

func (p *Player) forward() error {
	f, x := p.script.activation(), p.buffer(nil)
	y := p.buffer(&x.held)
	done, err := p.call(refusal(f, &y.held, &x.held), func() error { return p.s.b.Forward(f, y.real, x.real) })
	if done {
		p.set(y, f, x.known, func(i int) float32 { return f.Value(x.values[i]) })
	}
	return err
}

func (p *Player) derivative() error {
	f, x := p.script.activation(), p.buffer(nil)
	d := p.buffer(&x.held)
	done, err := p.call(refusal(f, &d.held, &x.held), func() error { return p.s.b.Derivative(f, d.real, x.real) })
	if done {
		p.set(d, f, x.known, func(i int) float32 { return f.Derivative(x.values[i]) })
	}
	return err
}

func (p *Player) backward() error {
	f, x := p.script.activation(), p.buffer(nil)
	dx, dy := p.buffer(&x.held), p.buffer(&x.held)
	done, err := p.call(refusal(f, &dx.held, &dy.held, &x.held), func() error { return p.s.b.Backward(f, dx.real, dy.real, x.real) })
	if done {
		p.set(dx, f, dy.known && x.known, func(i int) float32 { return dy.values[i] * f.Derivative(x.values[i]) })
	}
	return err
}

func (p *Player) forwardDerivative() error {
	f, x := p.script.activation(), p.buffer(nil)
	y, d := p.buffer(&x.held), p.buffer(&x.held)
	want := refusal(f, &y.held, &d.held, &x.held)
	if want == nil && y == d {
		want = compute.ErrOverlap
	}
	done, err := p.call(want, func() error { return p.s.b.ForwardDerivative(f, y.real, d.real, x.real) })
	if done {
		xs, known := x.values, x.known
		p.set(y, f, known, func(i int) float32 { return f.Value(xs[i]) })
		p.set(d, f, known, func(i int) float32 { return f.Derivative(xs[i]) })
	}
	return err
}

func (p *Player) allocMask() error {
	n, want := p.newLength(), error(nil)
	if p.script.oneIn(32) {
		n, want = p.script.badLength()
	}
	m := &mask{held: held{n: n}}
	done, err := p.call(want, func() (err error) {
		m.real, err = p.s.b.AllocMask(n)
		return err
	})
	if !done {
		return err
	}
	if m.real.Len() != n {
		return fmt.Errorf("the length is %d, want %d", m.real.Len(), n)
	}
	if len(p.masks) < slots {
		p.masks = append(p.masks, m)
		return nil
	}
	i := p.script.below(slots)
	err = p.releaseOne(&p.masks[i].held, p.masks[i].real.Release)
	p.masks[i] = m
	return err
}

func (p *Player) forwardMask() error {
	f, x := p.script.activation(), p.buffer(nil)
	y, m := p.buffer(&x.held), p.mask(&x.held)
	done, err := p.call(refusal(f, &y.held, &m.held, &x.held), func() error { return p.s.b.ForwardMask(f, y.real, m.real, x.real) })
	if done {
		m.bits, m.known = make([]bool, m.n), x.known
		for i, v := range x.values {
			m.bits[i] = v >= 0
		}
		p.set(y, f, x.known, func(i int) float32 { return f.Value(x.values[i]) })
	}
	return err
}

func (p *Player) backwardMask() error {
	f, dy := p.script.activation(), p.buffer(nil)
	dx, m := p.buffer(&dy.held), p.mask(&dy.held)
	done, err := p.call(refusal(f, &dx.held, &dy.held, &m.held), func() error { return p.s.b.BackwardMask(f, dx.real, dy.real, m.real) })
	if done {
		known := dy.known && m.known
		p.set(dx, f, known, func(i int) float32 {
			switch {
			case !known:
				return 0
			case m.bits[i]:
				return dy.values[i]
			}
			return f.NegativeSlope * dy.values[i]
		})
	}
	return err
}

func (p *Player) readMask() error {
	m := p.mask(nil)
	n := p.hostLength(m.n)
	if m.foreign {
		return nil
	}
	words := check.Words(n)
	const guard = 0xaaaa5555aaaa5555
	host := make([]uint64, words+2)
	for i := range host {
		host[i] = guard
	}
	var want error
	switch {
	case m.released:
		want = compute.ErrClosed
	case words != check.Words(m.n):
		want = compute.ErrLength
	}
	done, err := p.call(want, func() error { return m.real.Read(host[1 : 1+words]) })
	if err != nil {
		return err
	}
	for i, word := range host {
		if (i == 0 || i == words+1 || !done) && word != guard {
			return fmt.Errorf("memory that is not the result's was written, at word %d of %d", i, len(host))
		}
	}
	if !done {
		return nil
	}
	for i := range 64 * words {
		bit := host[1+i/64]>>(i%64)&1 == 1
		if i >= m.n && bit || i < m.n && m.known && bit != m.bits[i] {
			return fmt.Errorf("bit %d of %d is %v", i, m.n, bit)
		}
	}
	p.Elements += int64(m.n)
	return nil
}
