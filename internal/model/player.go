package model

import (
	"fmt"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// slots is how many buffers a player has, released ones among them, and how many masks.
const slots = 8

// A Player plays scripts on buffers that it shares with nobody, so that their
// contents are known whatever others do on the backend.
type Player struct {
	MayClose bool // whether a script may close the backend

	Operations int   // calls made
	Elements   int64 // of results that were right

	s       *Session
	script  script
	buffers []*buffer
	masks   []*mask
	watched []watched
}

// Player returns one that has no buffers yet.
func (s *Session) Player() *Player { return &Player{s: s} }

// held is what the model knows of a buffer or a mask.
type held struct {
	n        int
	released bool
	foreign  bool

	known  bool      // what is in it
	values []float32 // the elements; of a mask, the x whose bits it has
	copied bool      // from the host, so that the payloads of NaNs count
}

// buffer is a buffer of the backend.
type buffer struct {
	held
	real compute.Buffer
}

// mask is a mask of the backend.
type mask struct {
	held
	real compute.Mask
}

// unlike is a buffer that no backend has made.
type unlike struct{ compute.Buffer }

// A step is one kind of call that a script makes.
type step struct {
	name string
	play func(*Player) error
}

// Play plays a script to its end. Its error tells the first thing that is not as the
// model has it.
func (p *Player) Play(bytes []byte) error {
	operate := func(fm form.Form) step {
		return step{fm.String(), func(p *Player) error { return p.operate(fm) }}
	}
	steps := []step{ // in the order of the corpus
		{"alloc", (*Player).alloc},
		{"upload", (*Player).upload},
		{"write", (*Player).write},
		{"read", (*Player).read},
		operate(form.Forward),
		operate(form.Derivative),
		operate(form.Backward),
		{"alloc mask", (*Player).allocMask},
		{"read mask", (*Player).readMask},
		operate(form.ForwardMask),
		operate(form.BackwardMask),
		operate(form.ForwardDerivative),
		{"stream", (*Player).stream},
		{"release", (*Player).release},
		{"release mask", (*Player).releaseMask},
		{"others", (*Player).others},
	}
	p.script = bytes
	for len(p.script) > 0 {
		at := len(bytes) - len(p.script)
		step := steps[p.script.below(len(steps))]
		if err := step.play(p); err != nil {
			return fmt.Errorf("call %d, %s, read from byte %d: %w", p.Operations, step.name, at, err)
		}
		if err := p.undisturbed(); err != nil {
			return fmt.Errorf("by call %d, %s, read from byte %d: %w", p.Operations, step.name, at, err)
		}
	}
	return nil
}

// Release releases all buffers and masks of the player.
func (p *Player) Release() error {
	for _, b := range p.buffers {
		if err := p.releaseOne(&b.held, b.real.Release); err != nil {
			return err
		}
	}
	for _, m := range p.masks {
		if err := p.releaseOne(&m.held, m.real.Release); err != nil {
			return err
		}
	}
	p.buffers, p.masks = nil, nil
	return p.undisturbed()
}

// call makes a call that must return want, and tells whether it was done. On a closed
// backend it must return ErrClosed, and while that is being closed it may.
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

// keep adds a buffer with its contents, or without. When there are enough it comes
// in place of another.
func (p *Player) keep(b *buffer) error {
	if len(p.buffers) < slots {
		p.buffers = append(p.buffers, b)
		return nil
	}
	i := p.script.below(slots)
	err := p.releaseOne(&p.buffers[i].held, p.buffers[i].real.Release)
	p.buffers[i] = b
	return err
}

// newLength returns the length for a new buffer or mask, mostly that of one that is
// there.
func (p *Player) newLength() int {
	if len(p.buffers) > 0 && p.script.below(2) == 0 {
		return p.buffers[p.script.below(len(p.buffers))].n
	}
	return p.script.length()
}

func (p *Player) alloc() error {
	n, want := p.newLength(), error(nil)
	if p.script.oneIn(32) {
		n, want = p.script.badLength()
	}
	b := &buffer{held: held{n: n}}
	done, err := p.call(want, func() (err error) {
		b.real, err = p.s.b.Alloc(n)
		return err
	})
	if !done {
		return err
	}
	b.values = make([]float32, n)
	return p.kept(b)
}

func (p *Player) upload() error {
	v := p.script.values(p.newLength())
	b := &buffer{held: held{n: len(v)}}
	done, err := p.call(nil, func() (err error) {
		b.real, err = p.s.b.Upload(v)
		return err
	})
	if !done {
		return err
	}
	p.fill(b, slices.Clone(v))
	clear(v) // which was copied
	return p.kept(b)
}

// kept is keep for a buffer just made, whose length is looked at.
func (p *Player) kept(b *buffer) error {
	if b.real.Len() != b.n {
		return fmt.Errorf("the length is %d, want %d", b.real.Len(), b.n)
	}
	return p.keep(b)
}

// fill makes v, from the host, what b holds.
func (p *Player) fill(b *buffer, v []float32) {
	b.values, b.copied = v, true
	b.known = !p.flushed(v)
}

// flushed tells whether the device may have something else for v than the model.
func (p *Player) flushed(v []float32) bool {
	return p.s.flushes && slices.ContainsFunc(v, values.IsSubnormal)
}

// hostLength returns n, or now and then another length.
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
		return nil // a method of another backend
	}
	done, err := p.call(b.moves(len(v)), func() error { return b.real.Write(v) })
	if done {
		p.fill(b, v)
	}
	return err
}

// moves returns the error of a transfer of n elements.
func (h *held) moves(n int) error {
	switch {
	case h.released:
		return compute.ErrClosed
	case h.n != n:
		return compute.ErrLength
	}
	return nil
}

// guard stands in the memory before and behind the elements that a call may write.
const guard = 12345

func (p *Player) read() error {
	b := p.buffer(nil)
	n, before := p.hostLength(b.n), 1+p.script.below(5)
	if b.foreign {
		return nil
	}
	host := repeat([]float32{guard}, before+n+1)
	done, err := p.call(b.moves(n), func() error { return b.real.Read(host[before : before+n]) })
	if err != nil {
		return err
	}
	if !done {
		return unwritten(host)
	}
	if err := unwritten(host[:before]); err != nil {
		return err
	}
	if err := unwritten(host[before+n:]); err != nil {
		return err
	}
	if !b.known {
		return nil
	}
	agree := values.Same
	if b.copied {
		agree = values.Identical
	}
	p.Elements += int64(n)
	return equal(host[before:before+n], b.values, agree)
}

// unwritten is an error if anything but guards is in host.
func unwritten(host []float32) error {
	for i, v := range host {
		if v != guard {
			return fmt.Errorf("memory that is not the result's was written, at %d of %d: %x", i, len(host), v)
		}
	}
	return nil
}

func equal(got, want []float32, agree func(a, b float32) bool) error {
	for i := range want {
		if !agree(got[i], want[i]) {
			return fmt.Errorf("element %d of %d is %x and should be %x", i, len(want), got[i], want[i])
		}
	}
	return nil
}

func (p *Player) release() error {
	b := p.buffer(nil)
	if b.foreign {
		return nil
	}
	return p.releaseOne(&b.held, b.real.Release)
}

func (p *Player) releaseMask() error {
	m := p.mask(nil)
	if m.foreign {
		return nil
	}
	return p.releaseOne(&m.held, m.real.Release)
}

// releaseOne releases what h tells of, which never fails, not even a second time.
func (p *Player) releaseOne(h *held, release func() error) error {
	h.released = true
	p.Operations++
	if err := release(); err != nil {
		return fmt.Errorf("Release: %w", err)
	}
	return nil
}

// others waits, gives back memory, looks, or closes the backend.
func (p *Player) others() error {
	switch kind := p.script.below(16); {
	case kind < 8:
		_, err := p.call(nil, p.s.b.Sync)
		return err
	case kind < 10:
		p.Operations++
		compute.Trim(p.s.b)
		return nil
	case kind == 15 && p.MayClose:
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

// counted compares what the backend counts as live with what this player has, of
// which there may be more of others.
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

// buffer picks a buffer, mostly a live one, and where like is not nil, of its length.
func (p *Player) buffer(like *held) *buffer {
	kind := p.script.below(64)
	var fit []*buffer
	for _, b := range p.buffers {
		if kind >= 56 || !b.released && (like == nil || b.n == like.n) {
			fit = append(fit, b)
		}
	}
	i := p.script.below(256)
	switch {
	case kind == 63 && i%3 == 0:
		return &buffer{held: held{foreign: true}}
	case kind == 63 && i%3 == 1:
		return &buffer{held: held{n: 3, foreign: true}, real: p.s.foreign}
	case kind == 63 && len(fit) > 0:
		return &buffer{held: held{n: fit[0].n, foreign: true}, real: unlike{fit[0].real}}
	case len(fit) == 0:
		return &buffer{held: held{foreign: true}}
	}
	return fit[i%len(fit)]
}

// mask is buffer for masks.
func (p *Player) mask(like *held) *mask {
	kind := p.script.below(64)
	var fit []*mask
	for _, m := range p.masks {
		if kind >= 56 || !m.released && (like == nil || m.n == like.n) {
			fit = append(fit, m)
		}
	}
	i := p.script.below(256)
	switch {
	case kind == 63 && i%2 == 0:
		return &mask{held: held{n: 3, foreign: true}, real: p.s.foreignMask}
	case kind == 63 || len(fit) == 0:
		return &mask{held: held{foreign: true}}
	}
	return fit[i%len(fit)]
}
