package play

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/progtest"
)

// A kind is a program with the places of its arguments. A device compiles one kernel for it.
type kind struct {
	program *expr.Program
	places  []kernel.Address
}

// kinds are those that players call. There are few, since a device may take long to compile one.
var kinds = sync.OnceValue(func() []kind {
	const element, row, col, bit, scalar = kernel.Element, kernel.Row, kernel.Col, kernel.Bit, kernel.Scalar
	var list []kind
	add := func(text string, places ...[]kernel.Address) {
		p := expr.MustParse(text)
		for _, addresses := range places {
			list = append(list, kind{p, addresses})
		}
	}
	type at = []kernel.Address
	add("axpy(s, x, y) = s*x + y", at{scalar, row, element}, at{scalar, element, element}, at{col, element, scalar})
	add("func swap(x, y float32) (v, w float32) { v, w = y, x; return }", at{element, element})
	add("func rotate(x, y, z float32) (u, v, w float32) { u, v, w = y, z, x+y; return }", at{element, element, element})
	add("func momentum(w, m, g, rate float32) (w2, m2 float32) { m2 = 0.5*m + g; w2 = w - rate*m2; return }", at{element, element, row, scalar}, at{element, element, element, scalar})
	add("func below(x, s float32) (c bool) { return x < s }", at{element, scalar}, at{col, row})
	add("func choose(c bool, x, y float32) (z float32) { return where(c, x, y) }", at{bit, element, row}, at{scalar, element, element})
	add("func flip(c, d bool) (e, f bool) { e, f = d, !c; return }", at{bit, bit})
	add(`func draw(x, keep float32, seed uint32) (y float32, kept bool) {
		kept = rand(seed, 7) < keep
		y = where(kept, x/keep, 0)
		return
	}`, at{element, scalar, scalar})
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 3))
		c := progtest.New(r, progtest.Random(r, 10), 0)
		k := kind{program: c.Program}
		for _, a := range c.Args {
			k.places = append(k.places, a.Address)
		}
		list = append(list, k)
	}
	return list
})

// A part is an operand of a call of a program.
type part struct {
	*held  // nil for a scalar
	in     kernel.Address
	scalar compute.Arg
}

// arg returns the part as it is passed.
func (a part) arg() compute.Arg {
	if a.held == nil {
		return a.scalar
	}
	if a.memory == nil {
		return placed(a.in, nil)
	}
	return placed(a.in, a.memory)
}

// placed returns what repeats v, unless each element has its own.
func placed(in kernel.Address, v compute.Arg) compute.Arg {
	switch in {
	case kernel.Row:
		return compute.Row(v)
	case kernel.Col:
		return compute.Col(v)
	}
	return v
}

// A programCall is a call of a program on the memory of a player.
type programCall struct {
	program *expr.Program
	parts   []part // the results, then the arguments
	call    compute.Call
}

// newCall lets the script choose a program and its operands, which usually fit together.
func (p *Player) newCall() (*programCall, error) {
	kind := kinds()[p.script.below(len(kinds()))]
	c := &programCall{program: kind.program}
	like := p.buffer(nil)
	var err error
	add := func(bits bool) {
		a := part{}
		if a.in = kernel.Element; bits {
			a.in = kernel.Bit
		}
		if err == nil {
			a.held, err = p.operand(bits, like)
		}
		c.parts = append(c.parts, a)
	}
	for _, r := range c.program.Results() {
		add(r.Type == expr.Bool)
	}
	results := len(c.parts)
	for i, a := range c.program.Args() {
		switch place := kind.places[i]; place {
		case kernel.Scalar:
			c.parts = append(c.parts, part{in: place, scalar: p.script.scalar(a.Type)})
		case kernel.Row, kernel.Col:
			c.parts = append(c.parts, part{held: p.repeated(like), in: place})
		default:
			add(place == kernel.Bit)
			if r := c.parts[p.script.below(results)]; r.in == place && p.script.below(2) == 0 {
				c.parts[len(c.parts)-1] = r // in place
			}
		}
	}
	return c, err
}

// operand returns a buffer or a mask, usually a live one that has the length of like. If there
// is none, or by chance, it makes one.
func (p *Player) operand(bits bool, like *held) (*held, error) {
	list, pick := &p.buffers, p.buffer
	if bits {
		list, pick = &p.masks, p.mask
	}
	if like.foreign || p.script.oneIn(32) {
		return pick(like), nil
	}
	var fit []*held
	for _, h := range *list {
		if !h.released && h.n == like.n {
			fit = append(fit, h)
		}
	}
	if i := p.script.below(256); i < min(60*len(fit), 240) {
		return fit[i%len(fit)], nil
	}
	h := &held{n: like.n}
	if bits {
		return h, p.add(list, h, nil, func() (memory, error) { return p.s.b.AllocMask(h.n) })
	}
	v := p.script.values(h.n)
	p.fill(h, slices.Clone(v))
	return h, p.add(list, h, nil, func() (memory, error) { return p.s.b.Upload(v) })
}

// scalar returns a scalar argument of the type.
func (s *script) scalar(t expr.Type) compute.Arg {
	switch t {
	case expr.Uint32:
		return compute.U32(s.below(256))
	case expr.Bool:
		return compute.Bool(s.below(2) == 1)
	}
	return compute.F32([]float32{2, -0.5, 0.75, s.float()}[s.below(4)])
}

// repeated returns a buffer whose length usually divides that of like.
func (p *Player) repeated(like *held) *held {
	var fit []*held
	for _, h := range p.buffers {
		if !h.released && h.n > 0 && like.n%h.n == 0 {
			fit = append(fit, h)
		}
	}
	if i := p.script.below(256); len(fit) > 0 && i < 240 {
		return fit[i%len(fit)]
	}
	return p.buffer(nil)
}

// args returns the arguments of the call.
func (c *programCall) args() []compute.Arg {
	var list []compute.Arg
	for _, a := range c.parts {
		list = append(list, a.arg())
	}
	return list
}

// refusal returns the error of the call. If several are possible it is the first of foreign,
// released, length and overlap.
func (c *programCall) refusal() error {
	n := 0 // of an operand that is not repeated
	for _, a := range c.parts {
		if a.held != nil && a.in != kernel.Row && a.in != kernel.Col {
			n = a.n
		}
	}
	var foreign, released, length, overlap bool
	for i, a := range c.parts {
		if a.held == nil {
			continue
		}
		repeats := a.in == kernel.Row || a.in == kernel.Col
		foreign = foreign || a.foreign
		released = released || a.released
		length = length || !repeats && a.n != n || repeats && n > 0 && (a.n == 0 || n%a.n != 0)
		for j, r := range c.parts[:min(i, len(c.program.Results()))] {
			overlap = overlap || r.held == a.held && (repeats || i < len(c.program.Results()) && i != j)
		}
	}
	switch {
	case foreign:
		return compute.ErrForeignBuffer
	case released:
		return compute.ErrClosed
	case length:
		return compute.ErrLength
	case overlap:
		return compute.ErrOverlap
	}
	return nil
}

// update records the results of the call.
func (p *Player) update(c *programCall) {
	results := len(c.program.Results())
	known := !p.s.flushes
	t := &progtest.Case{Program: c.program, N: c.parts[0].n}
	for _, a := range c.parts[results:] {
		arg := progtest.Arg{Address: a.in}
		switch {
		case a.held == nil:
			arg.Scalar = scalarBits(a.scalar)
		case a.in == kernel.Bit:
			known = known && a.known
			arg.Words = wordsOf(a.values)
		default:
			known = known && a.known
			arg.Floats = a.values
		}
		t.Args = append(t.Args, arg)
	}
	var want []progtest.Result
	if known {
		want = t.Want()
	}
	for i, a := range c.parts[:results] {
		a.copied, a.known = false, known
		switch {
		case !known:
		case a.in == kernel.Bit:
			a.values = bitsOf(want[i].Words, a.n)
		default:
			a.values = want[i].Floats
		}
	}
}

// finish records the results of a call that was done, and reads some at once.
func (p *Player) finish(c *programCall) error {
	p.update(c)
	if p.script.below(4) > 0 {
		return nil
	}
	for _, a := range c.parts[:len(c.program.Results())] {
		if a.in == kernel.Element {
			if err := p.readBuffer(a.held, a.n, 1); err != nil {
				return err
			}
		}
	}
	return nil
}

// bitsOf returns the n bits of a mask, 0 and 1.
func bitsOf(words []uint64, n int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(words[i/64] >> (i % 64) & 1)
	}
	return v
}

// wordsOf returns a mask of which bit i is whether v[i] is above 0.
func wordsOf(v []float32) []uint64 {
	words := make([]uint64, form.MaskWords(len(v)))
	for i, x := range v {
		if x > 0 {
			words[i/64] |= 1 << (i % 64)
		}
	}
	return words
}

func scalarBits(a compute.Arg) uint32 {
	switch v := a.(type) {
	case compute.F32:
		return math.Float32bits(float32(v))
	case compute.U32:
		return uint32(v)
	case compute.Bool:
		if v {
			return 1
		}
	}
	return 0
}

// run calls Run.
func (p *Player) run() error {
	c, err := p.newCall()
	if err != nil {
		return err
	}
	want, args := c.refusal(), c.args()
	if p.script.oneIn(32) {
		want, args = compute.ErrArgument, args[:len(args)-1]
	}
	done, err := p.call(want, func() error { return p.s.b.Run(c.program, args...) })
	if !done {
		return err
	}
	return p.finish(c)
}

// prepare calls Prepare, and keeps the call.
func (p *Player) prepare() error {
	c, err := p.newCall()
	if err != nil {
		return err
	}
	done, err := p.call(c.refusal(), func() (err error) {
		c.call, err = p.s.b.Prepare(c.program, c.args()...)
		return err
	})
	if !done {
		return err
	}
	if len(p.prepared) == slots {
		p.prepared = p.prepared[1:]
	}
	p.prepared = append(p.prepared, c)
	return nil
}

// runPrepared changes a scalar of a prepared call, and runs it.
func (p *Player) runPrepared() error {
	if len(p.prepared) == 0 {
		return nil
	}
	c := p.prepared[p.script.below(len(p.prepared))]
	params, results := c.program.Args(), len(c.program.Results())
	at := p.script.below(len(params) + 1)
	name, v := "nothing", p.script.scalar(expr.Float32)
	want := error(compute.ErrArgument)
	if at < len(params) {
		name, v = params[at].Name, p.script.scalar(params[at].Type)
		if c.parts[results+at].held == nil {
			want = nil
		}
	}
	if err := c.call.Set(name, v); !is(err, want) {
		return fmt.Errorf("Set(%q, %v): got error %v, want %v", name, v, err, want)
	}
	if want == nil {
		c.parts[results+at].scalar = v
	}
	done, err := p.call(c.refusal(), c.call.Run)
	if !done {
		return err
	}
	return p.finish(c)
}

// uploadRow uploads what can be a row or a column of another buffer.
func (p *Player) uploadRow() error {
	n := p.newLength()
	if d := 1 + p.script.below(16); n%d == 0 {
		n /= d
	}
	v := p.script.values(n)
	h := &held{n: n}
	p.fill(h, slices.Clone(v))
	return p.add(&p.buffers, h, nil, func() (memory, error) { return p.s.b.Upload(v) })
}
