package play

import (
	"fmt"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/progtest"
	"github.com/gmind-go/compute/internal/values"
)

// A span is memory of the host with an operand in it, and what it held before.
type span struct {
	floats, floatsBefore []float32
	words, wordsBefore   []uint64
	from                 int // the operand
}

// runSlices calls RunSlices on memory in which results may be in place of arguments, or overlap
// them.
func (p *Player) runSlices() error {
	s, kind := &p.script, kinds()[p.script.below(len(kinds()))]
	program := kind.program
	n := p.newLength()
	results := len(program.Results())
	args := make([]compute.Arg, results+len(program.Args()))
	spans := make([]*span, len(args))
	t := &progtest.Case{Program: program, N: n}
	sliced := false // or else words decide the length
	floats := func(i, n int) []float32 {
		v := s.values(n + 3)
		spans[i] = &span{floats: v, floatsBefore: slices.Clone(v), from: 1}
		return v[1 : 1+n]
	}
	words := func(i int) []uint64 {
		v := append([]uint64{1}, append(wordsOf(s.values(n)), 2, 3)...)
		spans[i] = &span{words: v, wordsBefore: slices.Clone(v), from: 1}
		return v[1 : 1+form.MaskWords(n)]
	}
	for j, a := range program.Args() {
		i, arg := results+j, progtest.Arg{Address: kind.places[j]}
		switch arg.Address {
		case kernel.Scalar:
			args[i] = s.scalar(a.Type)
			arg.Scalar = scalarBits(args[i])
		case kernel.Bit:
			arg.Words = words(i)
			args[i] = compute.Words(arg.Words)
		case kernel.Element:
			arg.Floats, sliced = floats(i, n), true
			args[i] = compute.Slice(arg.Floats)
		default:
			length := n
			if d := 1 + s.below(16); n%d == 0 {
				length /= d
			}
			arg.Floats = floats(i, length)
			args[i] = placed(arg.Address, compute.Slice(arg.Floats))
		}
		t.Args = append(t.Args, arg)
	}
	want := error(nil)
	var taken []int
	for i, r := range program.Results() {
		// In place of an argument, or one element after it.
		j := results + s.below(len(t.Args))
		address, shift := kernel.Element, 0
		if r.Type == expr.Bool {
			address = kernel.Bit
		}
		if a := t.Args[j-results]; a.Address == address && !slices.Contains(taken, j) && s.below(2) == 0 && n > 0 {
			taken = append(taken, j)
			if s.oneIn(8) {
				shift = 1
			}
			spans[i] = spans[j]
			if r.Type == expr.Bool {
				args[i] = compute.Words(spans[i].words[1+shift : 1+shift+form.MaskWords(n)])
				if shift > 0 && form.MaskWords(n) > 1 {
					want = compute.ErrOverlap
				} else if shift > 0 { // beside the argument
					spans[i] = &span{words: spans[j].words, wordsBefore: spans[j].wordsBefore, from: 2}
				}
				continue
			}
			args[i] = compute.Slice(spans[i].floats[1+shift : 1+shift+n])
			sliced = true
			if shift > 0 && n > 1 {
				want = compute.ErrOverlap
			} else if shift > 0 {
				spans[i] = &span{floats: spans[j].floats, floatsBefore: spans[j].floatsBefore, from: 2}
			}
			continue
		}
		if r.Type == expr.Bool {
			args[i] = compute.Words(words(i))
		} else {
			args[i], sliced = compute.Slice(floats(i, n)), true
		}
	}
	if !sliced && n%64 != 0 {
		return nil // the words have more bits
	}
	right := t.Want()
	ctx, ends := p.context()
	if want == nil {
		want = ctx.Err()
	}
	var got error
	_, err := p.call(want, func() error {
		got = p.s.b.RunSlices(ctx, program, args...)
		if want == nil && ends && got != nil && is(got, ctx.Err()) {
			return nil // the context ended before RunSlices did
		}
		return got
	})
	if err != nil {
		return err
	}
	if want == nil {
		if err := p.checkResults(args[:results], spans, right, n, got); err != nil {
			return err
		}
	}
	return p.undamaged(spans, got)
}

// checkResults compares the results of RunSlices, which returned got, with what they should be,
// and records them as what the memory should hold.
func (p *Player) checkResults(args []compute.Arg, spans []*span, want []progtest.Result, n int, got error) error {
	for i, r := range want {
		sp := spans[i]
		for k := range n {
			switch v := args[i].(type) {
			case compute.Slice:
				if values.Same(v[k], r.Floats[k]) || p.s.flushes || got != nil && values.Identical(v[k], sp.floatsBefore[sp.from+k]) {
					sp.floatsBefore[sp.from+k] = v[k]
					continue
				}
				return fmt.Errorf("element %d of %d of result %d is %x and should be %x (RunSlices returned %v)", k, n, i, v[k], r.Floats[k], got)
			case compute.Words:
				before := &sp.wordsBefore[sp.from+k/64]
				g, w, b := v[k/64]>>(k%64)&1, r.Words[k/64]>>(k%64)&1, *before>>(k%64)&1
				if g != w && !p.s.flushes && (got == nil || g != b) {
					return fmt.Errorf("bit %d of %d of result %d is %d and should be %d (RunSlices returned %v)", k, n, i, g, w, got)
				}
				*before = *before&^(1<<(k%64)) | g<<(k%64)
			}
		}
		if v, ok := args[i].(compute.Words); ok && n%64 > 0 {
			last := &sp.wordsBefore[sp.from+n/64]
			if got == nil {
				*last &= 1<<(n%64) - 1
			} else if rest := v[n/64] >> (n % 64); rest == 0 {
				*last &= 1<<(n%64) - 1
			}
		}
		if got == nil {
			p.Elements += int64(n)
		}
	}
	return nil
}

// undamaged returns an error unless the memory of all operands is as recorded.
func (p *Player) undamaged(spans []*span, got error) error {
	for i, sp := range spans {
		if sp == nil {
			continue
		}
		if err := equal(sp.floats, sp.floatsBefore, values.Identical); err != nil {
			return fmt.Errorf("memory of operand %d: %w", i, err)
		}
		if !slices.Equal(sp.words, sp.wordsBefore) {
			return fmt.Errorf("words of operand %d are %x and should be %x", i, sp.words, sp.wordsBefore)
		}
		if got != nil && sp.floats != nil {
			p.watched = append(p.watched, watched{sp.floats, slices.Clone(sp.floats)})
		}
	}
	return nil
}
