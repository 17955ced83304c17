package shard

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
)

// memory is a buffer or a mask, or a part of a buffer. Buffers and masks of equal length have the
// same parts; views need not.
type memory []part

// A part is what one member has of a memory.
type part struct {
	*member
	from, to int         // elements of the memory
	at       int         // the first of them in held; above 0 only for what cut returns
	held     interface { // a compute.Buffer or compute.Mask
		compute.Arg
		Release() error
	}
}

func (p *part) buffer() compute.Buffer { return p.held.(compute.Buffer) }
func (p *part) mask() compute.Mask     { return p.held.(compute.Mask) }

// whole reports whether p is all that is held.
func (p *part) whole() bool { return p.held.Len() == p.to-p.from }

// len returns the number of elements.
func (m memory) len() int { return m[len(m)-1].to - m[0].from }

// cut returns some elements of m, a buffer, which stay where they are.
func (m memory) cut(from, to int) memory {
	var parts memory
	for _, p := range m {
		if first, last := max(p.from, from), min(p.to, to); first < last {
			p.at += first - p.from
			p.from, p.to = first-from, last-from
			parts = append(parts, p)
		}
	}
	return parts
}

// alike reports whether m and other have the same parts on the same members.
func (m memory) alike(other memory) bool {
	if len(m) != len(other) {
		return false
	}
	for i := range m {
		if m[i].member != other[i].member || m[i].to != other[i].to {
			return false
		}
	}
	return true
}

// on returns how many elements of m are on a member.
func (m memory) on(at *member) int {
	n := 0
	for _, p := range m {
		if p.member == at {
			n += p.to - p.from
		}
	}
	return n
}

// most returns the member that has the most elements of m, in one part.
func (m memory) most() *member {
	return slices.MaxFunc(m, func(p, q part) int { return cmp.Compare(p.to-p.from, q.to-q.from) }).member
}

// mostMoved is how many elements move pass through the host at a time.
const mostMoved = 1 << 20

// move copies src to dst, of the same length: on a member, or through the host.
func (d *device) move(dst, src memory) error {
	var host []float32
	for _, p := range dst {
		for _, from := range src.cut(p.from, p.to) {
			to := memory{p}.cut(p.from+from.from, p.from+from.to)[0]
			if to.member == from.member {
				if err := d.copyOn(to, from); err != nil {
					return err
				}
				continue
			}
			n := from.to - from.from
			if host == nil {
				host = make([]float32, min(dst.len(), mostMoved))
			}
			for i := 0; i < n; i += mostMoved {
				some := host[:min(n-i, mostMoved)]
				if err := from.buffer().ReadAt(some, from.at+i); err != nil {
					return from.blame(err)
				}
				if err := to.buffer().WriteAt(some, to.at+i); err != nil {
					return to.blame(err)
				}
			}
		}
	}
	return nil
}

// copyOn copies a part on one member.
func (d *device) copyOn(to, from part) error {
	l := &lent{device: d}
	dst, _, err := l.on(to.member, memory{to})
	if err != nil {
		return l.release(err)
	}
	src, _, err := l.on(to.member, memory{from})
	if err != nil {
		return l.release(err)
	}
	err = to.blame(to.Copy(dst, src))
	to.launched.Store(true)
	return l.release(err)
}

// blame returns err with the name of the member, and remembers a fault.
func (p *part) blame(err error) error {
	switch p.note(err); {
	case err == nil:
		return nil
	case p.to == 0:
		return fmt.Errorf("%s: %w", p.name, err)
	}
	return fmt.Errorf("%s, with %d of the elements: %w", p.name, p.to-p.from, err)
}

// lent has what one call needs on members beside its operands: views, and copies of what is on
// other members.
type lent struct {
	*device
	parts memory
}

// release gives all back, and returns err, or else what fails.
func (l *lent) release(err error) error {
	freed := l.Free(l.parts)
	if err != nil {
		return err
	}
	return freed
}

// take makes l release buf, of n elements of a member.
func (l *lent) take(at *member, buf compute.Buffer, err error, n int) (compute.Buffer, error) {
	p := part{member: at, to: n}
	if err != nil {
		return nil, p.blame(err)
	}
	p.held = buf
	l.parts = append(l.parts, p)
	return buf, nil
}

// alloc returns a buffer of n elements on a member.
func (l *lent) alloc(at *member, n int) (compute.Buffer, error) {
	buf, err := at.Alloc(n)
	return l.take(at, buf, err, n)
}

// on returns the elements of m on a member: a buffer that has them, and true; or one with
// unspecified contents, and false, if they are not all there.
func (l *lent) on(at *member, m memory) (buf compute.Buffer, inPlace bool, err error) {
	n := m.len()
	if len(m) > 1 || m[0].member != at {
		buf, err = l.alloc(at, n)
		return buf, false, err
	}
	if p := &m[0]; p.whole() {
		return p.buffer(), true, nil
	}
	buf, err = m[0].buffer().View(m[0].at, m[0].at+n)
	buf, err = l.take(at, buf, err, n)
	return buf, true, err
}

// input returns the elements of m, or a copy of them, on a member.
func (l *lent) input(at *member, m memory) (compute.Buffer, error) {
	buf, inPlace, err := l.on(at, m)
	if err == nil && !inPlace {
		err = l.move(memory{{member: at, to: m.len(), held: buf}}, m)
	}
	return buf, err
}

// A moved is a result that a member has in another place.
type moved struct{ to, from memory }

// output returns a buffer on a member for a result. If it is not the place of the result, it is
// added to back, and contents tells whether it has those of m.
func (l *lent) output(at *member, m memory, contents bool, back *[]moved) (compute.Buffer, error) {
	buf, inPlace, err := l.on(at, m)
	if err != nil || inPlace {
		return buf, err
	}
	copied := memory{{member: at, to: m.len(), held: buf}}
	*back = append(*back, moved{m, copied})
	if contents {
		err = l.move(copied, m)
	}
	return buf, err
}

// moveBack moves results to where they belong.
func (d *device) moveBack(back []moved) error {
	for _, b := range back {
		if err := d.move(b.to, b.from); err != nil {
			return err
		}
	}
	return nil
}

// View implements driver.Device: the view has a view of each part that it touches.
func (d *device) View(m driver.Memory, from, n int) (driver.Memory, error) {
	parts := m.(memory).cut(from, from+n)
	err := d.each(parts, func(_ int, p *part) error {
		v, err := p.buffer().View(p.at, p.at+p.to-p.from)
		p.at, p.held = 0, nil
		if err == nil {
			p.held = v
		}
		return err
	})
	if err != nil {
		d.Free(parts) // what others have made
		return nil, err
	}
	return parts, nil
}
