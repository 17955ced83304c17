package progtest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/values"
)

// A Runner runs calls on a backend. It keeps buffers for the next ones.
type Runner struct {
	b       compute.Backend
	flushes bool
	buffers map[int][]compute.Buffer // by length
	masks   map[int][]compute.Mask
}

// NewRunner returns a Runner on b.
func NewRunner(b compute.Backend) *Runner {
	return &Runner{b, b.Info().FlushesSubnormals, map[int][]compute.Buffer{}, map[int][]compute.Mask{}}
}

// Release releases all buffers and masks.
func (r *Runner) Release() error {
	var errs []error
	for _, list := range r.buffers {
		for _, buf := range list {
			errs = append(errs, buf.Release())
		}
	}
	for _, list := range r.masks {
		for _, m := range list {
			errs = append(errs, m.Release())
		}
	}
	clear(r.buffers)
	clear(r.masks)
	return errors.Join(errs...)
}

// All runs c in all ways. It returns an error if a call fails or a result is wrong.
func (r *Runner) All(c *Case) error {
	want := c.Want()
	return errors.Join(
		named("Run", r.Run(c, want)), named("Prepare", r.Prepared(c, want)), named("RunSlices", r.Slices(context.Background(), c, want)),
	)
}

func named(way string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", way, err)
}

// Run calls Backend.Run. It returns an error if that fails or a result is not as in want.
func (r *Runner) Run(c *Case, want []Result) error {
	return r.onBuffers(c, want, func(args []compute.Arg) error { return r.b.Run(c.Program, args...) })
}

// Prepared calls Prepare with other scalars, Set and Run.
func (r *Runner) Prepared(c *Case, want []Result) error {
	return r.onBuffers(c, want, func(args []compute.Arg) error {
		results := len(c.Over)
		other := slices.Clone(args)
		params := c.Program.Args()
		for i, p := range params {
			if c.Args[i].Address == kernel.Scalar {
				other[results+i] = scalar(p.Type, ^c.Args[i].Scalar)
			}
		}
		call, err := r.b.Prepare(c.Program, other...)
		if err != nil {
			return err
		}
		for i, p := range params {
			if c.Args[i].Address == kernel.Scalar {
				if err := call.Set(p.Name, args[results+i]); err != nil {
					return err
				}
			}
		}
		return call.Run()
	})
}

// onBuffers calls do with the arguments in buffers and masks, and reads the results.
func (r *Runner) onBuffers(c *Case, want []Result, do func(args []compute.Arg) error) error {
	var give []func() // back
	defer func() {
		for _, g := range give {
			g()
		}
	}()
	bufferOf := func(v []float32) (compute.Buffer, error) {
		buf, err := take(r.buffers, len(v), r.b.Alloc)
		if err != nil {
			return nil, err
		}
		give = append(give, func() { r.buffers[len(v)] = append(r.buffers[len(v)], buf) })
		return buf, buf.Write(v)
	}
	maskOf := func(n int, words []uint64) (compute.Mask, error) {
		m, err := take(r.masks, n, r.b.AllocMask)
		if err != nil {
			return nil, err
		}
		give = append(give, func() { r.masks[n] = append(r.masks[n], m) })
		return m, r.writeMask(m, words)
	}

	results := len(c.Over)
	args := make([]compute.Arg, results+len(c.Args))
	shared := map[*float32]compute.Buffer{}
	for i, p := range c.Program.Args() {
		var err error
		switch a := &c.Args[i]; a.Address {
		case kernel.Scalar:
			args[results+i] = scalar(p.Type, a.Scalar)
		case kernel.Bit:
			args[results+i], err = maskOf(c.N, a.Words)
		default:
			var buf compute.Buffer
			if len(a.Floats) > 0 {
				buf = shared[&a.Floats[0]]
			}
			if buf == nil {
				buf, err = bufferOf(a.Floats)
			}
			if len(a.Floats) > 0 {
				shared[&a.Floats[0]] = buf
			}
			args[results+i] = placed(a.Address, buf)
		}
		if err != nil {
			return err
		}
	}
	for i, over := range c.Over {
		var err error
		switch {
		case over >= 0:
			args[i] = args[results+over]
		case want[i].Words != nil:
			args[i], err = maskOf(c.N, slices.Repeat([]uint64{guardWord}, len(want[i].Words)))
		default:
			args[i], err = bufferOf(slices.Repeat([]float32{guard}, c.N))
		}
		if err != nil {
			return err
		}
	}
	if err := do(args); err != nil {
		return err
	}
	for i, w := range want {
		var got Result
		var err error
		if w.Words != nil {
			got.Words = make([]uint64, len(w.Words))
			err = args[i].(compute.Mask).Read(got.Words)
		} else {
			got.Floats = make([]float32, c.N)
			err = args[i].(compute.Buffer).Read(got.Floats)
		}
		if err != nil {
			return err
		}
		if err := r.compare(c, i, got, w); err != nil {
			return err
		}
	}
	return nil
}

// What results of their own hold before.
const (
	guard     = float32(-12345.75)
	guardWord = uint64(0xaaaa5555aaaa5555)
)

// take returns one of those kept of length n, or makes one.
func take[T any](kept map[int][]T, n int, alloc func(n int) (T, error)) (T, error) {
	list := kept[n]
	if len(list) == 0 {
		return alloc(n)
	}
	kept[n] = list[:len(list)-1]
	return list[len(list)-1], nil
}

// nonzero is how a mask gets its bits.
var nonzero = expr.MustParse("func nonzero(x float32) bool { return x != 0 }")

// writeMask sets the bits of m.
func (r *Runner) writeMask(m compute.Mask, words []uint64) error {
	v := make([]float32, m.Len())
	for i := range v {
		v[i] = float32(words[i/64] >> (i % 64) & 1)
	}
	x, err := take(r.buffers, len(v), r.b.Alloc)
	if err != nil {
		return err
	}
	defer func() { r.buffers[len(v)] = append(r.buffers[len(v)], x) }()
	return errors.Join(x.Write(v), r.b.Run(nonzero, m, x))
}

// placed returns an argument for a buffer or a slice at the address.
func placed(a kernel.Address, v compute.Arg) compute.Arg {
	switch a {
	case kernel.Row:
		return compute.Row(v)
	case kernel.Col:
		return compute.Col(v)
	}
	return v
}

// Slices calls RunSlices.
func (r *Runner) Slices(ctx context.Context, c *Case, want []Result) error {
	results := len(c.Over)
	args := make([]compute.Arg, results+len(c.Args))
	shared := map[*float32]compute.Slice{}
	var intact []func() bool
	for i, p := range c.Program.Args() {
		switch a := &c.Args[i]; a.Address {
		case kernel.Scalar:
			args[results+i] = scalar(p.Type, a.Scalar)
		case kernel.Bit:
			args[results+i] = compute.Words(inside(&intact, a.Words, guardWord))
		default:
			var v compute.Slice
			if len(a.Floats) > 0 {
				v = shared[&a.Floats[0]]
			}
			if v == nil {
				v = compute.Slice(inside(&intact, a.Floats, guard))
			}
			if len(a.Floats) > 0 {
				shared[&a.Floats[0]] = v
			}
			args[results+i] = placed(a.Address, v)
		}
	}
	for i, over := range c.Over {
		switch {
		case over >= 0:
			args[i] = args[results+over]
		case want[i].Words != nil:
			args[i] = compute.Words(inside(&intact, slices.Repeat([]uint64{guardWord}, len(want[i].Words)), guardWord))
		default:
			args[i] = compute.Slice(inside(&intact, slices.Repeat([]float32{guard}, c.N), guard))
		}
	}
	if !slices.ContainsFunc(args, isSlice) && c.N%64 > 0 {
		return nil // without a Slice, the words of a mask are all used
	}
	if err := r.b.RunSlices(ctx, c.Program, args...); err != nil {
		return err
	}
	for i, w := range want {
		var got Result
		switch v := args[i].(type) {
		case compute.Words:
			got.Words = v
		case compute.Slice:
			got.Floats = v
		}
		if err := r.compare(c, i, got, w); err != nil {
			return err
		}
	}
	for _, ok := range intact {
		if !ok() {
			return errors.New("something was written beside the operands")
		}
	}
	return nil
}

func isSlice(a compute.Arg) bool {
	_, ok := a.(compute.Slice)
	return ok
}

// inside returns a copy of v between guards, and adds to intact whether these are unchanged.
func inside[T comparable](intact *[]func() bool, v []T, guard T) []T {
	all := slices.Concat([]T{guard}, v, []T{guard})
	*intact = append(*intact, func() bool { return all[0] == guard && all[len(all)-1] == guard })
	return all[1 : 1+len(v)]
}

// compare returns an error that names the first element of result i that is wrong.
func (r *Runner) compare(c *Case, i int, got, want Result) error {
	name := c.Program.Results()[i].Name
	for k := range c.N {
		if !got.same(want, k) && !(r.flushes && c.loose(k)) {
			return fmt.Errorf("%s[%d] of %d is %s and should be %s, on %s", name, k, c.N, got.show(k), want.show(k), r.b.Info().Name)
		}
	}
	if rest := c.N % 64; want.Words != nil && rest > 0 && got.Words[c.N/64]>>rest != 0 {
		return fmt.Errorf("%s of %d has bits after the last, on %s", name, c.N, r.b.Info().Name)
	}
	return nil
}

// same reports whether element k of both is the same value.
func (r Result) same(other Result, k int) bool {
	if r.Words != nil {
		return (r.Words[k/64]^other.Words[k/64])>>(k%64)&1 == 0
	}
	return values.Same(r.Floats[k], other.Floats[k])
}

// show returns element k.
func (r Result) show(k int) string {
	if r.Words != nil {
		return fmt.Sprint(r.Words[k/64]>>(k%64)&1 == 1)
	}
	return values.Show(r.Floats[k])
}
