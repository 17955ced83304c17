package cpu

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

var slopes = []float32{0, compute.DefaultNegativeSlope, 1, 2.5, -0.5}

// An example is operands of equal length, and what the reference makes of them.
type example struct {
	slope    float32
	x, dy    []float32
	y, d, dx []float32
	signs    []uint64
	loose    []uint64 // the same with ones behind the last, where anything may stand
}

// newExample returns n elements, with what is special among them.
func newExample(n int) *example {
	special := values.Special()
	x, dy := values.Bits(n, uint64(n)), values.Bits(n, uint64(n+1))
	for i := 0; i < n; i += 3 {
		x[i] = special[(i+n)%len(special)]
	}
	f := compute.LeakyReLU(slopes[n%len(slopes)])
	e := &example{slope: f.NegativeSlope, x: x, dy: dy, signs: form.Words(x)}
	for i, v := range x {
		e.y = append(e.y, form.Y.Want(f, dy[i], v))
		e.d = append(e.d, form.D.Want(f, dy[i], v))
		e.dx = append(e.dx, form.DX.Want(f, dy[i], v))
	}
	e.loose = slices.Clone(e.signs)
	if n%64 > 0 {
		e.loose[len(e.loose)-1] |= ^uint64(0) << (n % 64)
	}
	return e
}

// An operation is one kernel on an example, as a job runs it.
type operation struct {
	name   string
	loop   loop
	past   loop      // or none
	x, dst []float32 // x of the job, and what it is to give
	over   []place   // beside inDst
}

// operations returns those of k on e.
func operations(k kernels, e *example) []operation {
	return []operation{
		{name: form.Forward.String(), loop: loop{unary: k.unary[compute.OpForward]}, x: e.x, dst: e.y, over: []place{inX}},
		{name: form.Derivative.String(), loop: loop{unary: k.unary[compute.OpDerivative]}, x: e.x, dst: e.d, over: []place{inX}},
		{name: form.Backward.String(), loop: loop{backward: k.backward}, x: e.x, dst: e.dx, over: []place{inX, inDY}},
		{name: form.ForwardMask.String(), loop: loop{forwardMask: k.forwardMask}, x: e.x, dst: e.y, over: []place{inX}},
		{name: form.BackwardMask.String(), loop: loop{backwardMask: k.backwardMask}, x: e.dy, dst: e.dx, over: []place{inX}},
		{name: form.ForwardDerivative.String(), loop: loop{forwardDerivative: k.forwardDerivative}, x: e.x, dst: e.y, over: []place{inX, inD}},
	}
}

// A place is where one slice of a job is. As that over which a job goes, inX and inDY
// mean that its result replaces that operand, inD that its second result replaces x,
// and inDst that all slices are apart.
type place int

const (
	inDst place = iota
	inD
	inX
	inDY
	inMask
	places
)

// String returns the place as that over which a job goes.
func (p place) String() string {
	return [places]string{"apart", "with d over x", "over x", "over dy", "mask"}[p]
}

// canary stands around every slice: no kernel may change it. It is negative, so
// that a kernel that goes too far does.
const canary = float32(-3.25)

// A room is memory around one slice.
type room struct {
	all    []float32
	lo, hi int // the slice
}

// take returns the elements from lo on, as many as v, and with those. All around them are
// canaries.
func (r *room) take(lo int, v []float32) []float32 {
	r.lo, r.hi = lo, lo+len(v)
	copy(r.all, canaries(len(r.all)))
	copy(r.all[r.lo:r.hi], v)
	return r.all[r.lo:r.hi:r.hi]
}

// intact tells whether the canaries are alive.
func (r *room) intact() bool {
	alive := func(v []float32) bool { return bytes.Equal(asBytes(v), asBytes(canaries(len(v)))) }
	return alive(r.all[:r.lo]) && alive(r.all[r.hi:])
}

// canaries returns n of them.
func canaries(n int) []float32 { return flock[:n] }

var flock = slices.Repeat([]float32{canary}, 64<<10)

func asBytes(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

// rooms are those of a job.
type rooms [places]room

// try runs op on e, over that place, and returns an error if anything is not as it
// should be then. In its room, a slice of n elements begins at lo(its place, n).
func (r *rooms) try(op operation, e *example, over place, lo func(p place, n int) int) error {
	n := len(op.x)
	for p := range r {
		r[p].lo, r[p].hi = 0, 0 // not taken
	}
	take := func(p place, v []float32) []float32 { return r[p].take(lo(p, len(v)), v) }
	before := canaries(n) // in results
	j := job{loop: op.loop, past: op.past, slope: e.slope, x: take(inX, op.x), dst: take(inDst, before)}
	if op.loop.backward != nil {
		j.dy = take(inDY, e.dy)
	}
	if op.loop.forwardDerivative != nil {
		j.d = take(inD, before)
	}
	if op.loop.forwardMask != nil || op.loop.backwardMask != nil {
		j.mask = asWords(take(inMask, canaries(2*len(e.signs))))
	}
	if op.loop.backwardMask != nil {
		copy(j.mask, e.loose)
	}
	switch over {
	case inX:
		j.dst = j.x
	case inDY:
		j.dst = j.dy
	case inD:
		j.d = j.x
	}
	if n > 0 || !op.past.isSet() {
		j.run(0, n)
	}
	return r.check(op, e, over, &j)
}

// check returns an error if a job has not left what it should.
func (r *rooms) check(op operation, e *example, over place, j *job) error {
	fail := func(what string, i int, got, want any) error {
		return fmt.Errorf("%s %v, slope %v: %s %d of %d elements, which begin at %p, is %x and should be %x",
			op.name, over, e.slope, what, i, len(j.x), j.dst, got, want)
	}
	same := values.Same
	if op.loop.copy != nil {
		same = values.Identical
	}
	for _, c := range []struct {
		what      string
		got, want []float32
		same      func(a, b float32) bool
	}{
		{"element", j.dst, op.dst, same},
		{"element of d", j.d, e.d, values.Same},
		{"operand x", r.operand(inX, over, j.x), op.x, values.Identical},
		{"operand dy", r.operand(inDY, over, j.dy), e.dy, values.Identical},
	} {
		if c.got == nil || bytes.Equal(asBytes(c.got), asBytes(c.want)) {
			continue
		}
		for i, got := range c.got {
			if !c.same(got, c.want[i]) {
				return fail(c.what, i, got, c.want[i])
			}
		}
	}
	wantMask := e.signs
	if op.loop.backwardMask != nil {
		wantMask = e.loose
	}
	for i, got := range j.mask {
		if got != wantMask[i] {
			return fail("word", i, got, wantMask[i])
		}
	}
	for p := range r {
		if r[p].hi > 0 && !r[p].intact() {
			return fmt.Errorf("%s %v wrote outside of its %d elements, which begin at %p", op.name, over, len(j.x), j.dst)
		}
	}
	return nil
}

// operand returns v, that of place p, if it is to stay as it was.
func (r *rooms) operand(p, over place, v []float32) []float32 {
	if over == p || over == inD && p == inX {
		return nil
	}
	return v
}

// longest is the most elements that a job in heapRooms has.
const longest = 5 * pastBlock

// margin is the number of canaries, at least, before and behind a slice.
const margin = 16

// heapRooms returns rooms that begin with a cache line.
func heapRooms(t *testing.T) *rooms {
	t.Helper()
	r := new(rooms)
	for p := range r {
		m, err := newMemory(margin + 16 + longest + margin)
		if err != nil {
			t.Fatal(err)
		}
		r[p].all = m.elements
	}
	return r
}
