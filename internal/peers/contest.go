package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"gonum.org/v1/gonum/blas/blas32"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/turns"
	"github.com/gmind-go/compute/internal/values"
)

const slope = compute.DefaultNegativeSlope

// The columns of the tables.
const (
	colCopy       = "copy"
	colOurs       = "compute"
	colOneDNN     = "oneDNN"
	colTorch      = "PyTorch, out="
	colLoop       = "Go loop"
	colGonum      = "gonum Scal"
	colFresh      = "compute, fresh"
	colTorchFresh = "PyTorch, fresh"
)

// A host is the values to compute on, and memory of the same length to compute in.
type host struct{ x, dy, out, work []float32 }

func newHost(x, dy []float32) *host {
	return &host{x, dy, make([]float32, len(x)), make([]float32, len(x))}
}

func (h *host) first(n int) *host {
	return &host{h.x[:n], h.dy[:n], h.out[:n], h.work[:n]}
}

// A contestant is one way to compute one operation.
type contestant struct {
	column string
	op     string
	bytes  int // that must move, per element

	turns.Series
	time   func(calls int) (ns float64, err error) // of one call
	result func(dst []float32) error               // computed once, into dst
	want   func(dy, x float32) float32

	wrong string // how the result differs from the reference
}

// A backend is this library's, and tells its limit.
type backend interface {
	compute.Backend
	form.Copier
}

// contestants returns all there are on the values of h. release gives their buffers
// back and is never nil.
func contestants(b backend, onednn, torch *peer, h *host) (list []*contestant, release func() error, err error) {
	var bufs []interface{ Release() error }
	release = func() (err error) {
		for _, buf := range bufs {
			err = errors.Join(err, buf.Release())
		}
		return err
	}
	for _, v := range [][]float32{h.x, h.dy, h.x} {
		buf, err := b.Upload(v)
		if err != nil {
			return nil, release, err
		}
		bufs = append(bufs, buf)
	}
	x, dy, y := bufs[0].(compute.Buffer), bufs[1].(compute.Buffer), bufs[2].(compute.Buffer)
	f := compute.LeakyReLU(slope)
	wantOf := func(o form.Operand) func(dy, x float32) float32 {
		return func(dy, x float32) float32 { return o.Want(f, dy, x) }
	}
	add := func(c contestant) { list = append(list, &c) }

	copied := func() error { return b.Copy(y, x) }
	add(contestant{column: colCopy, op: "copy", bytes: 8,
		time:   timeGo(copied),
		result: func(dst []float32) error { return errors.Join(copied(), y.Read(dst)) },
		want:   func(_, x float32) float32 { return x },
	})
	for _, fm := range form.Plain() {
		call := func() error { return fm.Run(b, f, form.Args{X: x, DY: dy, Y: y, D: y, DX: y}) }
		add(contestant{column: colOurs, op: fm.String(), bytes: fm.Bits() / 8,
			time:   timeGo(call),
			result: func(dst []float32) error { return errors.Join(call(), y.Read(dst)) },
			want:   wantOf(fm.Results()[0]),
		})
	}
	step, err := trainingStep(b, f, y, dy, x, h)
	if err != nil {
		return nil, release, err
	}
	bufs = append(bufs, step.held...)
	add(contestant{column: colOurs, op: training, bytes: trainingBytes,
		time:   timeGo(step.inPlace),
		result: func(dst []float32) error { return errors.Join(step.apart(), y.Read(dst)) },
		want:   wantOf(form.DX),
	})
	forward, bytes := form.Forward.String(), form.Forward.Bits()/8
	fresh := func(use func(y compute.Buffer) error) error {
		y, err := b.Alloc(len(h.x))
		if err != nil {
			return err
		}
		return errors.Join(b.Forward(f, y, x), use(y), y.Release())
	}
	add(contestant{column: colFresh, op: forward, bytes: bytes,
		time:   timeGo(func() error { return fresh(func(compute.Buffer) error { return nil }) }),
		result: func(dst []float32) error { return fresh(func(y compute.Buffer) error { return y.Read(dst) }) },
		want:   wantOf(form.Y),
	})
	add(contestant{column: colLoop, op: forward, bytes: bytes,
		time:   timeGo(func() error { plainLoop(h.out, h.x); return nil }),
		result: func(dst []float32) error { plainLoop(dst, h.x); return nil },
		want:   wantOf(form.Y),
	})
	copy(h.work, h.x)
	scal := func(by float32, v []float32) { blas32.Scal(by, blas32.Vector{N: len(v), Data: v, Inc: 1}) }
	add(contestant{column: colGonum, op: forward, bytes: bytes,
		// By -1, so that the values do not sink to zero, in place as they are.
		time:   timeGo(func() error { scal(-1, h.work); return nil }),
		result: func(dst []float32) error { copy(dst, h.x); scal(slope, dst); return nil },
		want:   func(_, x float32) float32 { return slope * x },
	})

	for _, p := range []struct {
		*peer
		column, request string
		form            form.Form
	}{
		{onednn, colOneDNN, "forward", form.Forward},
		{onednn, colOneDNN, "backward", form.Backward},
		{torch, colTorch, "forward", form.Forward},
		{torch, colTorch, "backward", form.Backward},
		{torch, colTorchFresh, "fresh", form.Forward},
		{onednn, colOneDNN, training, form.Backward},
		{torch, colTorch, training, form.Backward},
	} {
		op, bytes := p.form.String(), p.form.Bits()/8
		if p.request == training {
			op, bytes = training, trainingBytes
		}
		add(contestant{column: p.column, op: op, bytes: bytes,
			time:   func(calls int) (float64, error) { return p.time(p.request, calls) },
			result: func(dst []float32) error { return p.result(p.request, dst) },
			want:   wantOf(p.form.Results()[0]),
		})
	}
	// What comes of it shows at the first use.
	_ = onednn.load(slope, h.x, h.dy)
	_ = torch.load(slope, h.x, h.dy)
	return list, release, nil
}

// training is forward and backward, one after the other, as a network that learns
// does. trainingBytes are those that this library moves for an element, less a
// quarter of one for the mask; others move 20.
const (
	training      = "training"
	trainingBytes = 16
)

// A step is training with masks, on buffers of its own, in place, or on those given.
type step struct {
	held           []interface{ Release() error }
	inPlace, apart func() error
}

func trainingStep(b backend, f compute.Activation, y, dy, x compute.Buffer, h *host) (s step, err error) {
	m, err := b.AllocMask(len(h.x))
	if err != nil {
		return s, err
	}
	s.held = append(s.held, m)
	own := make([]compute.Buffer, 2)
	for i, v := range [][]float32{h.x, h.dy} {
		if own[i], err = b.Upload(v); err != nil {
			return s, err
		}
		s.held = append(s.held, own[i])
	}
	// Slope 1 takes as long as any, and leaves the values what they are.
	same := compute.LeakyReLU(1)
	s.inPlace = func() error {
		if err := b.ForwardMask(same, own[0], m, own[0]); err != nil {
			return err
		}
		return b.BackwardMask(same, own[1], own[1], m)
	}
	s.apart = func() error { return errors.Join(b.ForwardMask(f, y, m, x), b.BackwardMask(f, y, dy, m)) }
	return s, nil
}

// plainLoop is what one writes first.
//
//go:noinline
func plainLoop(y, x []float32) {
	for i, v := range x {
		if v >= 0 {
			y[i] = v
		} else {
			y[i] = slope * v
		}
	}
}

// timeGo returns the time of a contestant in this process: like the peers, it makes
// a quarter of the calls before it looks at the clock, to have its values in the
// cache again, and its threads awake.
func timeGo(call func() error) func(calls int) (float64, error) {
	return func(calls int) (float64, error) { return turns.Time(call, 1+calls/4, calls) }
}

// verify compares every result with the reference. It is an error only if this
// library is wrong.
func verify(list []*contestant, h *host) error {
	for _, c := range list {
		if c.Err = c.result(h.out); c.Err != nil {
			if c.ours() {
				return c.Err
			}
			continue
		}
		for i, got := range h.out {
			want := c.want(h.dy[i], h.x[i])
			if values.Same(got, want) {
				continue
			}
			// The peers take the derivative at 0 for the slope.
			if (c.op == "backward" || c.op == training) && h.x[i] == 0 && values.Same(got, slope*h.dy[i]) && !c.ours() {
				continue
			}
			c.wrong = fmt.Sprintf("%v (0x%08x), not %v, where x is %v and dy %v", got, math.Float32bits(got), want, h.x[i], h.dy[i])
			if c.ours() {
				return fmt.Errorf("%s of %s: %s", c.op, c.column, c.wrong)
			}
			break
		}
	}
	return nil
}

func (c *contestant) ours() bool {
	return c.column == colOurs || c.column == colFresh || c.column == colCopy
}

const (
	// A sample lasts at least this long, so that neither reading the clock nor the
	// way to the peer and back counts, nor that a thread that was just woken may run
	// on a busy core for a millisecond or two until the system moves it.
	minSample = 20 * time.Millisecond
	// Before each sample all is left to rest. The threads of OpenMP spin after their
	// last work before they sleep, and would take the cores from who is next: libgomp
	// 300,000 times around a loop with a pause of up to 140 cycles, which is 14 ms at
	// 3 GHz, and longer where something else runs.
	rest = 30 * time.Millisecond
)

// compete takes the samples, one of each contestant in a round.
func compete(list []*contestant, c config) error {
	ctx := context.Background()
	var all []*turns.Series
	for _, who := range list {
		who.Least = c.minSample
		who.Sample = func(calls int) (float64, error) {
			time.Sleep(c.rest)
			return who.time(calls)
		}
		_ = who.WarmUp(ctx) // an error ends this contestant alone
		all = append(all, &who.Series)
	}
	for range c.rounds {
		_ = turns.Round(ctx, all)
	}
	for _, who := range list {
		if who.Err != nil && who.ours() {
			return who.Err
		}
	}
	return nil
}
