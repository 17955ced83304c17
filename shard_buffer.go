package compute

import (
	"cmp"
	"errors"

	"github.com/gmind-go/compute/internal/check"
)

// sharded is a buffer or a mask of a shard.
type sharded struct {
	owner    *shard
	n        int        // elements, or bits
	bytes    int64      // as Info counts them
	parts    []releaser // on each member; nil where it has no elements
	released bool       // guarded by the order of owner
}

// releaser is a Buffer or a Mask.
type releaser interface{ Release() error }

type shardBuffer struct{ sharded }

// part returns the part on member i, which has one.
func (b *shardBuffer) part(i int) Buffer { return b.parts[i].(Buffer) }

type shardMask struct{ sharded }

func (m *shardMask) part(i int) Mask { return m.parts[i].(Mask) }

func (s *shard) Alloc(n int) (Buffer, error) {
	b := &shardBuffer{sharded{owner: s, n: n, bytes: 4 * int64(n)}}
	err := b.hold("alloc", func(i, from, to int) (releaser, error) { return s.members[i].Alloc(to - from) })
	if err != nil {
		return nil, err
	}
	return b, nil
}

func (s *shard) Upload(src []float32) (Buffer, error) {
	b := &shardBuffer{sharded{owner: s, n: len(src), bytes: 4 * int64(len(src))}}
	err := b.hold("upload", func(i, from, to int) (releaser, error) { return s.members[i].Upload(src[from:to]) })
	if err != nil {
		return nil, err
	}
	return b, nil
}

func (s *shard) AllocMask(n int) (Mask, error) {
	m := &shardMask{sharded{owner: s, n: n, bytes: 8 * int64(check.Words(n))}}
	err := m.hold("alloc mask", func(i, from, to int) (releaser, error) { return s.members[i].AllocMask(to - from) })
	if err != nil {
		return nil, err
	}
	return m, nil
}

// hold takes the parts, from an element to another on each member, and counts them as
// live.
func (h *sharded) hold(op string, take func(i, from, to int) (releaser, error)) error {
	s := h.owner
	c := s.call(op)
	s.order.Lock()
	defer s.order.Unlock()
	if err := cmp.Or(s.usable(c), c.Size(h.n)); err != nil {
		return err
	}
	h.parts = make([]releaser, len(s.members))
	l := s.layout(h.n)
	err := s.each(c, h.n, l.holders(h.n), true, func(i int) error {
		from, to := l.part(h.n, i)
		part, err := take(i, from, to)
		if err == nil {
			h.parts[i] = part
		}
		return err
	})
	if err != nil {
		h.release(c) // what others have taken; a fault then shows in the next call
		return err
	}
	s.count(1, h.bytes)
	return nil
}

// count adds to what is live.
func (s *shard) count(buffers int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.live += buffers
	s.liveBytes += bytes
}

func (h *sharded) Len() int { return h.n }

// Owner and Released are for check.Operand. The order of the owner is held.
func (h *sharded) Owner() any     { return h.owner }
func (h *sharded) Released() bool { return h.released }

func (h *sharded) Release() error {
	s := h.owner
	s.order.Lock()
	defer s.order.Unlock()
	if h.released || s.isClosed() {
		return nil
	}
	h.released = true
	s.count(-1, -h.bytes)
	return h.release(s.call("release"))
}

// release gives the parts back. The order is held.
func (h *sharded) release(c check.Call) error {
	errs := make([]error, len(h.parts))
	for i, part := range h.parts {
		if part != nil {
			errs[i] = part.Release()
		}
	}
	return h.owner.result(c, h.n, errs)
}

func (b *shardBuffer) Write(src []float32) error {
	fits := func(c check.Call) error { return c.Lengths("the buffer", b.n, "src", len(src)) }
	return b.transfer("write", "the buffer", fits, func(i, from, to int) error { return b.part(i).Write(src[from:to]) })
}

func (b *shardBuffer) Read(dst []float32) error {
	fits := func(c check.Call) error { return c.Lengths("the buffer", b.n, "dst", len(dst)) }
	return b.transfer("read", "the buffer", fits, func(i, from, to int) error { return b.part(i).Read(dst[from:to]) })
}

func (m *shardMask) Read(dst []uint64) error {
	fits := func(c check.Call) error { return c.MaskWords(m.n, len(dst)) }
	return m.transfer("read", "the mask", fits, func(i, from, to int) error { return m.part(i).Read(dst[from/64 : check.Words(to)]) })
}

// transfer runs move for the parts, from an element to another on each member, if the
// slice of the caller fits.
func (h *sharded) transfer(op, what string, fits func(check.Call) error, move func(i, from, to int) error) error {
	s := h.owner
	c := s.call(op)
	s.order.Lock()
	defer s.order.Unlock()
	if err := s.usable(c); err != nil {
		return err
	}
	if h.released {
		return c.Released(what)
	}
	if err := fits(c); err != nil {
		return err
	}
	l := s.layout(h.n)
	return s.each(c, h.n, l.holders(h.n), true, func(i int) error {
		from, to := l.part(h.n, i)
		return move(i, from, to)
	})
}

func (s *shard) Forward(f Activation, y, x Buffer) error {
	return s.launch("forward", f.Validate(), 1, func(i int) error {
		return s.members[i].Forward(f, bufferPart(y, i), bufferPart(x, i))
	}, s.buffer("y", y), s.buffer("x", x))
}

func (s *shard) Derivative(f Activation, d, x Buffer) error {
	return s.launch("derivative", f.Validate(), 1, func(i int) error {
		return s.members[i].Derivative(f, bufferPart(d, i), bufferPart(x, i))
	}, s.buffer("d", d), s.buffer("x", x))
}

func (s *shard) Backward(f Activation, dx, dy, x Buffer) error {
	return s.launch("backward", f.Validate(), 1, func(i int) error {
		return s.members[i].Backward(f, bufferPart(dx, i), bufferPart(dy, i), bufferPart(x, i))
	}, s.buffer("dx", dx), s.buffer("dy", dy), s.buffer("x", x))
}

func (s *shard) ForwardDerivative(f Activation, y, d, x Buffer) error {
	return s.launch("forward derivative", f.Validate(), 2, func(i int) error {
		return s.members[i].ForwardDerivative(f, bufferPart(y, i), bufferPart(d, i), bufferPart(x, i))
	}, s.buffer("y", y), s.buffer("d", d), s.buffer("x", x))
}

func (s *shard) ForwardMask(f Activation, y Buffer, m Mask, x Buffer) error {
	return s.launch("forward mask", f.Validate(), 1, func(i int) error {
		return s.members[i].ForwardMask(f, bufferPart(y, i), m.(*shardMask).part(i), bufferPart(x, i))
	}, s.buffer("y", y), s.mask("m", m), s.buffer("x", x))
}

func (s *shard) BackwardMask(f Activation, dx, dy Buffer, m Mask) error {
	return s.launch("backward mask", f.Validate(), 1, func(i int) error {
		return s.members[i].BackwardMask(f, bufferPart(dx, i), bufferPart(dy, i), m.(*shardMask).part(i))
	}, s.buffer("dx", dx), s.buffer("dy", dy), s.mask("m", m))
}

// Copy sets dst to src, of the same length, if the members can show their limit so.
func (s *shard) Copy(dst, src Buffer) error {
	return s.launch("copy", nil, 1, func(i int) error {
		m, ok := As[interface{ Copy(dst, src Buffer) error }](s.members[i].Backend)
		if !ok {
			return errors.New("it has no Copy")
		}
		return m.Copy(bufferPart(dst, i), bufferPart(src, i))
	}, s.buffer("dst", dst), s.buffer("src", src))
}

// bufferPart returns the part of b, of this shard, on member i.
func bufferPart(b Buffer, i int) Buffer { return b.(*shardBuffer).part(i) }

func (s *shard) buffer(name string, b Buffer) check.Operand {
	return check.NewOperand(s, name, false, b)
}

func (s *shard) mask(name string, m Mask) check.Operand {
	return check.NewOperand(s, name, true, m)
}

// launch runs do on the members that have parts of the operands, the last of which
// gives the length. The first are results, so many as results says. invalid is what is
// wrong with the function, or nil.
func (s *shard) launch(op string, invalid error, results int, do func(i int) error, operands ...check.Operand) error {
	c := s.call(op)
	s.order.Lock()
	defer s.order.Unlock()
	if err := cmp.Or(s.usable(c), c.Wrap(invalid)); err != nil {
		return err
	}
	n, err := c.Operands(operands, results)
	if err != nil {
		return err
	}
	return s.each(c, n, s.layout(n).holders(n), false, do)
}
