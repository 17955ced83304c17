package play

import (
	"fmt"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// slots is the number of buffers, and of masks, that a player has, with released ones.
const slots = 8

// A Player plays scripts on buffers that no other player uses, so that their contents
// are known whatever others do on the backend.
type Player struct {
	Operations int   // calls made
	Elements   int64 // elements of results that were right

	s        *Session
	mayClose bool // whether a script may close the backend
	script   script
	buffers  []*held
	masks    []*held
	prepared []*programCall
	watched  []watched
}

// Player returns a player that has no buffers yet.
func (s *Session) Player() *Player { return &Player{s: s} }

// memory is a compute.Buffer or a compute.Mask.
type memory interface {
	Len() int
	Release() error
}

// held is a buffer or a mask, and what a player knows of it.
type held struct {
	memory   memory // of the backend
	n        int    // its length
	released bool
	foreign  bool

	known  bool      // whether the contents are known
	values []float32 // the contents; for a mask, its bits: 0 and 1
	copied bool      // whether they are a copy, with the payloads of NaNs
}

func (h *held) buffer() compute.Buffer {
	b, _ := h.memory.(compute.Buffer)
	return b
}

func (h *held) mask() compute.Mask {
	m, _ := h.memory.(compute.Mask)
	return m
}

// wrapped is a buffer that was not made by a backend.
type wrapped struct{ compute.Buffer }

// A step is one kind of call of a script.
type step struct {
	name string
	play func(*Player) error
}

// steps returns all steps. The corpus depends on their order, so a new one is the last.
func steps() []step {
	operate := func(fm form.Form) step {
		return step{fm.String(), func(p *Player) error { return p.operate(fm) }}
	}
	return []step{
		{"alloc", func(p *Player) error {
			return p.alloc(&p.buffers, func(n int) (memory, error) { return p.s.b.Alloc(n) })
		}},
		{"upload", (*Player).upload},
		{"write", (*Player).write},
		{"read", (*Player).read},
		operate(form.Forward),
		operate(form.Derivative),
		operate(form.Backward),
		{"alloc mask", func(p *Player) error {
			return p.alloc(&p.masks, func(n int) (memory, error) { return p.s.b.AllocMask(n) })
		}},
		{"read mask", (*Player).readMask},
		operate(form.ForwardMask),
		operate(form.BackwardMask),
		operate(form.ForwardDerivative),
		{"stream", (*Player).stream},
		{"release", func(p *Player) error { return p.release(p.buffer(nil)) }},
		{"release mask", func(p *Player) error { return p.release(p.mask(nil)) }},
		{"others", (*Player).others},
		{"upload row", (*Player).uploadRow},
		{"run", (*Player).run},
		{"prepare", (*Player).prepare},
		{"run prepared", (*Player).runPrepared},
		{"run slices", (*Player).runSlices},
		{"copy", (*Player).copy},
		{"fill", (*Player).fillAll},
		{"view", (*Player).view},
		{"gather", (*Player).gather},
		{"reduce", (*Player).reduce},
		{"matmul", (*Player).matMul},
	}
}

// Play plays a script to its end, or to the first call that does not do what it should,
// which is the error.
func (p *Player) Play(bytes []byte) error {
	steps := steps()
	p.script = bytes
	for len(p.script) > 0 {
		at := len(bytes) - len(p.script)
		step := steps[p.script.below(len(steps))]
		if err := step.play(p); err != nil {
			return fmt.Errorf("call %d, %s, at byte %d: %w", p.Operations, step.name, at, err)
		}
		if err := p.undisturbed(); err != nil {
			return fmt.Errorf("at call %d, %s, at byte %d: %w", p.Operations, step.name, at, err)
		}
	}
	return nil
}

// Release releases all buffers and masks of the player.
func (p *Player) Release() error {
	for _, h := range append(p.buffers, p.masks...) {
		if err := p.release(h); err != nil {
			return err
		}
	}
	p.buffers, p.masks, p.prepared = nil, nil, nil
	return p.undisturbed()
}

// call makes a call that must return want, and reports whether it succeeded. On a closed
// backend it must return ErrClosed, and while the backend is being closed it may.
func (p *Player) call(want error, do func() error) (done bool, err error) {
	p.Operations++
	before := p.s.state.Load()
	got := do()
	switch {
	case before == closed:
		want = compute.ErrClosed
	case is(got, compute.ErrClosed) && p.s.state.Load() != open:
		return false, nil
	}
	if !is(got, want) {
		return false, fmt.Errorf("got error %v, want %v", got, want)
	}
	return got == nil, nil
}

// add adds h, with the memory that make returns, to list, or replaces another one if list
// is full.
func (p *Player) add(list *[]*held, h *held, want error, make func() (memory, error)) error {
	done, err := p.call(want, func() (err error) {
		h.memory, err = make()
		return err
	})
	if !done {
		return err
	}
	if h.memory.Len() != h.n {
		return fmt.Errorf("the length is %d, want %d", h.memory.Len(), h.n)
	}
	if len(*list) < slots {
		*list = append(*list, h)
		return nil
	}
	i := p.script.below(slots)
	err = p.release((*list)[i])
	(*list)[i] = h
	return err
}

// newLength returns the length of a new buffer or mask, often the length of another one.
func (p *Player) newLength() int {
	if len(p.buffers) > 0 && p.script.below(2) == 0 {
		return p.buffers[p.script.below(len(p.buffers))].n
	}
	return p.script.length()
}

func (p *Player) alloc(list *[]*held, make func(n int) (memory, error)) error {
	n, want := p.newLength(), error(nil)
	if p.script.oneIn(32) {
		n, want = p.script.badLength()
	}
	return p.add(list, &held{n: n}, want, func() (memory, error) { return make(n) })
}

func (p *Player) upload() error {
	v := p.script.values(p.newLength())
	h := &held{n: len(v)}
	p.fill(h, slices.Clone(v))
	defer clear(v) // Upload copied it
	return p.add(&p.buffers, h, nil, func() (memory, error) { return p.s.b.Upload(v) })
}

// fill records v, a copy from the host, as the contents of h.
func (p *Player) fill(h *held, v []float32) {
	h.values, h.copied = v, true
	h.known = !p.flushed(v)
}

// flushed reports whether the device may have other values than v.
func (p *Player) flushed(v []float32) bool {
	return p.s.flushes && slices.ContainsFunc(v, values.IsSubnormal)
}

// hostLength returns n, or rarely another length.
func (p *Player) hostLength(n int) int {
	if p.script.oneIn(16) {
		return p.script.length()
	}
	return n
}

func (p *Player) write() error {
	b := p.buffer(nil)
	v := p.script.values(p.hostLength(b.n))
	if b.foreign {
		return nil // it is not on this backend
	}
	done, err := p.call(b.transferError(len(v), b.n), func() error { return b.buffer().Write(v) })
	if done {
		p.fill(b, v)
	}
	return err
}

// transferError returns the error of a transfer of n elements or words, where h has m.
func (h *held) transferError(n, m int) error {
	switch {
	case h.released:
		return compute.ErrClosed
	case n != m:
		return compute.ErrLength
	}
	return nil
}

func (p *Player) read() error {
	b := p.buffer(nil)
	n, before := p.hostLength(b.n), 1+p.script.below(5)
	if b.foreign {
		return nil
	}
	return p.readBuffer(b, n, before)
}

// readBuffer reads b into n elements after others, and compares them with what b holds.
func (p *Player) readBuffer(b *held, n, before int) error {
	got, err := read(p, b, n, b.n, before, 12345, b.buffer().Read)
	if got == nil || !b.known {
		return err
	}
	agree := values.Same
	if b.copied {
		agree = values.Identical
	}
	p.Elements += int64(n)
	return equal(got, b.values, agree)
}

// read reads h, which has m elements or words, into n of them, in memory filled with guard
// from before on. It returns nil if Read fails as it must, and an error if Read wrote outside
// of dst.
func read[T comparable](p *Player, h *held, n, m, before int, guard T, read func(dst []T) error) (got []T, err error) {
	host := slices.Repeat([]T{guard}, before+n+1)
	dst := host[before : before+n]
	done, err := p.call(h.transferError(n, m), func() error { return read(dst) })
	if err != nil {
		return nil, err
	}
	for i, v := range host {
		if inside := i >= before && i < before+n; v != guard && !(inside && done) {
			return nil, fmt.Errorf("the call wrote outside of dst, at %d of %d: %v", i, len(host), v)
		}
	}
	if !done {
		return nil, nil
	}
	return dst, nil
}

func equal(got, want []float32, agree func(a, b float32) bool) error {
	for i := range want {
		if !agree(got[i], want[i]) {
			return fmt.Errorf("element %d of %d is %x and should be %x", i, len(want), got[i], want[i])
		}
	}
	return nil
}

// release releases h. It is an error if that fails, the second time too.
func (p *Player) release(h *held) error {
	if h.foreign {
		return nil
	}
	h.released = true
	p.Operations++
	if err := h.memory.Release(); err != nil {
		return fmt.Errorf("Release: %w", err)
	}
	return nil
}

// others calls Sync, Trim, Info or Close.
func (p *Player) others() error {
	switch kind := p.script.below(16); {
	case kind < 8:
		_, err := p.call(nil, p.s.b.Sync)
		return err
	case kind < 10:
		p.Operations++
		compute.Trim(p.s.b)
		return nil
	case kind == 15 && p.mayClose:
		p.Operations++
		p.s.state.CompareAndSwap(open, closing)
		if err := p.s.b.Close(); err != nil {
			return fmt.Errorf("closing: %w", err)
		}
		p.s.state.Store(closed)
		return nil
	}
	return p.counted()
}

// counted returns an error if the backend counts less than what this player has.
func (p *Player) counted() error {
	p.Operations++
	buffers, bytes := 0, int64(0)
	for _, b := range p.buffers {
		if !b.released {
			buffers, bytes = buffers+1, bytes+4*int64(b.n)
		}
	}
	info := p.s.b.Info()
	if p.s.state.Load() == open && (info.LiveBuffers < buffers || info.LiveBytes < bytes) {
		return fmt.Errorf("the backend counts %d buffers of %d bytes, and this player alone has %d of %d", info.LiveBuffers, info.LiveBytes, buffers, bytes)
	}
	return nil
}

// buffer returns a buffer, usually a live one that has the length of like, unless that is
// nil.
func (p *Player) buffer(like *held) *held {
	fit, kind, i := p.fitting(p.buffers, like)
	switch {
	case kind == 63 && i%3 == 0:
		return &held{foreign: true}
	case kind == 63 && i%3 == 1:
		return &held{n: 3, foreign: true, memory: p.s.foreign}
	case kind == 63 && len(fit) > 0:
		return &held{n: fit[0].n, foreign: true, memory: wrapped{fit[0].buffer()}}
	case len(fit) == 0:
		return &held{foreign: true}
	}
	return fit[i%len(fit)]
}

// mask is like buffer, for masks.
func (p *Player) mask(like *held) *held {
	fit, kind, i := p.fitting(p.masks, like)
	switch {
	case kind == 63 && i%2 == 0:
		return &held{n: 3, foreign: true, memory: p.s.foreignMask}
	case kind == 63 || len(fit) == 0:
		return &held{foreign: true}
	}
	return fit[i%len(fit)]
}

// fitting returns the elements of list to choose from, and what decides the choice.
func (p *Player) fitting(list []*held, like *held) (fit []*held, kind, i int) {
	kind = p.script.below(64)
	for _, h := range list {
		if kind >= 56 || !h.released && (like == nil || h.n == like.n) {
			fit = append(fit, h)
		}
	}
	return fit, kind, p.script.below(256)
}
