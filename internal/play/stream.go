package play

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// watched is the memory of a Stream that returned an error, and its contents at that
// time, which must not change.
type watched struct{ memory, before []float32 }

// undisturbed returns an error if watched memory has changed. Memory is checked once, some
// calls later or at the end of the script.
func (p *Player) undisturbed() error {
	for len(p.watched) > 8 || len(p.watched) > 0 && len(p.script) == 0 {
		w := p.watched[0]
		p.watched = p.watched[1:]
		if err := equal(w.memory, w.before, values.Identical); err != nil {
			return fmt.Errorf("a Stream wrote after it had returned: %w", err)
		}
	}
	return nil
}

// stream calls Stream with dst and src in one array: the same, apart, adjacent, or
// overlapping.
func (p *Player) stream() error {
	s := &p.script
	f, n := p.activation(), p.newLength()
	op := compute.Op(s.below(2))
	if s.oneIn(32) {
		op = 99
	}
	from, to := 1, 1
	switch s.below(8) {
	case 0, 1: // the same
	case 2, 3: // adjacent
		to += n
	case 4:
		from += n
	case 5: // apart
		to += n + 3
	case 6: // may overlap
		to += s.below(n%256 + 1)
	case 7:
		from += s.below(n%256 + 1)
	}
	length := p.hostLength(n) // of dst
	memory := s.values(max(from+n, to+length) + 1)
	old := slices.Clone(memory)
	dst, src := memory[to:to+length], memory[from:from+n]

	var want error
	switch {
	case op == 99:
		want = compute.ErrActivation
	case f.Validate() != nil:
		want = refusal(f, &held{})
	case length != n:
		want = compute.ErrLength
	case from != to && from < to+n && to < from+n:
		want = compute.ErrOverlap
	}
	ctx, ends := p.context()
	if want == nil && ctx.Err() != nil {
		want = ctx.Err()
	}
	var got error
	_, err := p.call(want, func() error {
		got = p.s.b.Stream(ctx, op, f, dst, src)
		if want == nil && ends && got != nil && is(got, ctx.Err()) {
			return nil // the context ended before Stream did
		}
		return got
	})
	if err != nil {
		return err
	}

	if got != nil {
		p.watched = append(p.watched, watched{memory, slices.Clone(memory)})
	}
	// Nothing else has changed.
	if err := equal(memory[:to], old[:to], values.Identical); err != nil {
		return fmt.Errorf("before dst: %w", err)
	}
	if err := equal(memory[to+length:], old[to+length:], values.Identical); err != nil {
		return fmt.Errorf("after dst: %w", err)
	}
	if want != nil {
		return equal(memory, old, values.Identical)
	}
	if p.flushed(old) || p.flushed(f.Params[:]) {
		return nil
	}
	before, x := old[to:to+length], old[from:from+n]
	result := form.Of(op).Results()[0]
	for i := range dst {
		right := result.Want(f, 0, x[i])
		asBefore := got != nil && values.Identical(dst[i], before[i])
		if !values.Same(dst[i], right) && !asBefore {
			return fmt.Errorf("%v: element %d of %d is %x and should be %x (it was %x, Stream returned %v)", op, i, n, dst[i], right, before[i], got)
		}
	}
	if got == nil {
		p.Elements += int64(n)
	}
	return nil
}

// context returns a context for a Stream, and whether it may end during the call.
func (p *Player) context() (ctx context.Context, ends bool) {
	kind := p.script.below(32)
	if kind < 16 {
		return context.Background(), false
	}
	ctx, cancel := context.WithCancel(context.Background())
	if kind < 18 {
		cancel()
		return ctx, false
	}
	time.AfterFunc(time.Duration(p.script.below(256))*time.Microsecond, cancel)
	return ctx, true
}
