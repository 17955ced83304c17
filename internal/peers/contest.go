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
	colNumexpr    = "numexpr"
	colEager      = "PyTorch, eager"

	// Of functions.
	colPyTorch = "PyTorch"
	colRuntime = "ONNX Runtime"
	colMath    = "Go math"
	colVek     = "vek"
)

// training is forward, then backward, as when a network learns. With a mask, this library
// moves 16.25 bytes for an element; other libraries move 20.
const (
	training      = "training"
	trainingBytes = 16
)

// A memory has the values to compute on, and slices of the same length for results.
type memory struct{ x, dy, out, work []float32 }

func newMemory(x, dy []float32) *memory {
	return &memory{x, dy, make([]float32, len(x)), make([]float32, len(x))}
}

func (h *memory) first(n int) *memory {
	return &memory{h.x[:n], h.dy[:n], h.out[:n], h.work[:n]}
}

// A contestant is one way to compute one operation.
type contestant struct {
	column string
	op     string
	bytes  int // that must be moved, per element

	turns.Series
	time   func(calls int) (ns float64, err error) // of one call
	result func(dst []float32) error               // computes once, into dst
	want   func(dy, x float32) float32

	wrong string // how the result differs from the reference, or ""
}

// peers are the other libraries.
type peers struct{ onednn, torch, numexpr *peer }

// contestants returns all contestants on the values of h. release, which is never nil,
// releases their buffers.
func contestants(b compute.Backend, others peers, h *memory) (list []*contestant, release func() error, err error) {
	var bufs []interface{ Release() error }
	release = func() (err error) {
		for _, buf := range bufs {
			err = errors.Join(err, buf.Release())
		}
		return err
	}
	onednn, torch := others.onednn, others.torch
	var operands [4]compute.Buffer
	for i, v := range [][]float32{h.x, h.dy, h.x, h.x} {
		if operands[i], err = b.Upload(v); err != nil {
			return nil, release, err
		}
		bufs = append(bufs, operands[i])
	}
	x, dy, y := operands[0], operands[1], operands[2]
	m, err := b.AllocMask(len(h.x))
	if err != nil {
		return nil, release, err
	}
	bufs = append(bufs, m)

	f := compute.LeakyReLU(slope)
	wantOf := func(o form.Operand) func(dy, x float32) float32 {
		return func(dy, x float32) float32 { return o.Want(f, dy, x) }
	}
	add := func(column, op string, bytes int, want func(dy, x float32) float32, call func() error, result func(dst []float32) error) {
		list = append(list, &contestant{column: column, op: op, bytes: bytes, want: want, time: timeGo(call), result: result})
	}
	// intoY is add for a call with its result in y.
	intoY := func(column, op string, bytes int, want func(dy, x float32) float32, call func() error) {
		add(column, op, bytes, want, call, func(dst []float32) error { return errors.Join(call(), y.Read(dst)) })
	}

	intoY(colCopy, "copy", 8, func(_, x float32) float32 { return x }, func() error { return b.Copy(y, x) })
	for _, fm := range form.Plain() {
		intoY(colOurs, fm.String(), fm.Bits()/8, wantOf(fm.Results()[0]), func() error {
			return fm.Run(b, f, form.Args{X: x, DY: dy, Y: y, D: y, DX: y})
		})
	}
	step := func(f compute.Activation, y, dx compute.Buffer) error {
		return errors.Join(b.ForwardMask(f, y, m, x), b.BackwardMask(f, dx, dy, m))
	}
	// In place, with slope 1, which takes as long as any and does not change the values.
	add(colOurs, training, trainingBytes, wantOf(form.DX), func() error { return step(compute.LeakyReLU(1), x, dy) },
		func(dst []float32) error { return errors.Join(step(f, y, y), y.Read(dst)) })

	forward, bytes, want := form.Forward.String(), form.Forward.Bits()/8, wantOf(form.Y)
	fresh := func(use func(y compute.Buffer) error) error {
		y, err := b.Alloc(len(h.x))
		if err != nil {
			return err
		}
		return errors.Join(b.Forward(f, y, x), use(y), y.Release())
	}
	add(colFresh, forward, bytes, want, func() error { return fresh(func(compute.Buffer) error { return nil }) },
		func(dst []float32) error { return fresh(func(y compute.Buffer) error { return y.Read(dst) }) })
	add(colLoop, forward, bytes, want, func() error { plainLoop(h.out, h.x); return nil },
		func(dst []float32) error { plainLoop(dst, h.x); return nil })
	copy(h.work, h.x)
	scal := func(by float32, v []float32) error {
		blas32.Scal(by, blas32.Vector{N: len(v), Data: v, Inc: 1})
		return nil
	}
	// By -1, since repeated calls in place with slope would underflow to 0.
	add(colGonum, forward, bytes, func(_, x float32) float32 { return slope * x }, func() error { return scal(-1, h.work) },
		func(dst []float32) error { copy(dst, h.x); return scal(slope, dst) })

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
		list = append(list, &contestant{
			column: p.column, op: op, bytes: bytes, want: wantOf(p.form.Results()[0]),
			time:   func(calls int) (float64, error) { return p.time(p.request, calls) },
			result: func(dst []float32) error { return p.result(p.request, dst) },
		})
	}
	// An error is returned again at the first use.
	_ = onednn.load(slope, h.x, h.dy)
	_ = torch.load(slope, h.x, h.dy)
	_ = others.numexpr.load(slope, h.x, h.dy)
	chained, err := chainContestants(b, others, h, x, y, operands[3])
	return append(list, chained...), release, err
}

// plainLoop is the obvious loop in Go.
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

// timeGo returns a function that measures call in this process. Like the peers, it first
// makes a quarter of the calls untimed, to fill the caches and wake the threads.
func timeGo(call func() error) func(calls int) (float64, error) {
	return func(calls int) (float64, error) { return turns.Time(call, 1+calls/4, calls) }
}

// verify compares all results with the reference. It returns an error only if this library
// is wrong.
func verify(list []*contestant, h *memory) error {
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
			// For the peers, the derivative at 0 is the slope.
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
	// A sample lasts at least this long. It is much longer than reading the clock, the way
	// to a peer, and the millisecond or two until the system moves a woken thread off a
	// busy core.
	minSample = 20 * time.Millisecond
	// Before each sample there is a pause. The threads of OpenMP spin after a call before
	// they sleep, and would take the cores from the next contestant: those of libgomp for
	// 300,000 iterations with a pause of up to 140 cycles, which is 14 ms at 3 GHz.
	rest = 30 * time.Millisecond
	// Those of ONNX Runtime spin 2^20 times, which took up to 42 ms on a busy machine.
	functionRest = 50 * time.Millisecond
	restAlone    = time.Millisecond // if all have one thread; the sample begins a new time slice
	// A contestant has enough samples when they are so many, and took so long together.
	fewest  = 5
	longest = 3 * time.Second
)

// compete takes the samples, one of each contestant in a round. It returns an error only if
// this library fails.
func compete(list []*contestant, rounds int, rest time.Duration, c config) error {
	ctx := context.Background()
	var all []*turns.Series
	for _, who := range list {
		who.Least = c.minSample
		who.Sample = func(calls int) (float64, error) {
			time.Sleep(rest)
			return who.time(calls)
		}
		_ = who.WarmUp(ctx) // an error ends this contestant only
		all = append(all, &who.Series)
	}
	for range rounds {
		_ = turns.Round(ctx, all)
		for _, s := range all {
			s.Done = len(s.NS) >= fewest && sum(s.NS)*float64(s.Calls) > float64(longest)
		}
	}
	for _, who := range list {
		if who.Err != nil && who.ours() {
			return who.Err
		}
	}
	return nil
}

func sum(v []float64) (s float64) {
	for _, x := range v {
		s += x
	}
	return s
}
