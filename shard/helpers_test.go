package shard_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/shard"
)

// TestMain makes PoCL list two devices, or those of the servers of TestRemote.
func TestMain(m *testing.M) {
	if os.Getenv(remoteEnv) == "" {
		os.Setenv("POCL_DEVICES", "pthread pthread")
	}
	testenv.Main(m)
}

// cpus returns n CPU backends.
func cpus(n int) []compute.Backend {
	list := make([]compute.Backend, n)
	for i := range list {
		list[i], _ = cpu.Open() // never fails
	}
	return list
}

// weighted opens a Shard of CPU backends with these weights.
func weighted(weights ...float64) compute.Opener {
	return func() (compute.Backend, error) { return shard.Weighted(weights, cpus(len(weights))...) }
}

// sparedRace skips a test, if the race detector is on and has seen one like it.
func sparedRace(t *testing.T, seen bool) {
	if testenv.Raced && seen {
		t.Skip("takes minutes with the race detector; make test runs it without")
	}
}

// alike returns a Shard of equal parts over all.
func alike(all []compute.Backend, err error) (compute.Backend, error) {
	if len(all) == 0 {
		return nil, err
	}
	return shard.Weighted(slices.Repeat([]float64{1}, len(all)), all...)
}

// equal ends the test if err is not nil or got is not want.
// wrapper embeds a backend, as wrappers of users do.
type wrapper struct {
	compute.Backend
	err error // of Stream, which has overwritten half of dst by then
}

func (b wrapper) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	if b.err == nil {
		return b.Backend.Stream(ctx, op, f, dst, src)
	}
	half := len(dst) / 2
	return errors.Join(b.Backend.Stream(ctx, op, f, dst[:half], src[:half]), b.err)
}

// device is a backend that is not reported as the CPU: it may fail.
type device struct{ compute.Backend }

func (b device) Info() compute.Info {
	info := b.Backend.Info()
	info.Backend = "device"
	return info
}

// told is a backend with another Info and without optional methods.
type told struct {
	compute.Backend
	info compute.Info
}

func (b told) Info() compute.Info { return b.info }

func (told) Unwrap() compute.Backend { return nil }

// slow is a backend whose Stream and RunSlices take long enough for others to take part.
type slow struct{ compute.Backend }

func (b slow) RunSlices(ctx context.Context, p *expr.Program, args ...compute.Arg) error {
	time.Sleep(200 * time.Microsecond)
	return b.Backend.RunSlices(ctx, p, args...)
}

func (b slow) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	time.Sleep(200 * time.Microsecond)
	return b.Backend.Stream(ctx, op, f, dst, src)
}

// beside returns a Shard of b, at index i, and other, which is slow.
func beside(t *testing.T, b compute.Backend, i int) (all, other compute.Backend) {
	t.Helper()
	other = slow{device{cpus(1)[0]}}
	all, err := shard.Weighted([]float64{1, 1}, slices.Insert([]compute.Backend{other}, i, b)...)
	if err != nil {
		t.Fatal(err)
	}
	return all, other
}

// everyCall makes every call on b that uses the device, except Stream and Close, on n
// elements, until one fails, and releases the buffers.
func everyCall(b compute.Backend, n int) (err error) {
	f, xs, words := compute.LeakyReLU(-0.5), values.Normal(n, 1), make([]uint64, (n+63)/64)
	do := func(call func() error) {
		if err == nil {
			err = call()
		}
	}
	var x, y compute.Buffer
	var m compute.Mask
	do(func() (err error) { x, err = b.Upload(xs); return err })
	do(func() (err error) { y, err = b.Alloc(n); return err })
	do(func() (err error) { m, err = b.AllocMask(n); return err })
	do(func() error { return x.Write(xs) })
	args := form.Args{X: x, DY: x, Y: y, D: x, DX: y, M: m}
	for _, fm := range form.All() {
		do(func() error { return fm.Run(b, f, args) })
	}
	do(func() error { return b.Run(scaled, y, x, compute.F32(3)) })
	do(func() error { return m.Read(words) })
	do(func() error { return y.Read(xs) })
	do(b.Sync)
	for _, made := range []interface{ Release() error }{x, y, m} {
		if made != nil {
			err = errors.Join(err, made.Release())
		}
	}
	return err
}

// scaled is a program of everyCall.
var scaled = expr.MustParse("scaled(x, s) = x*s - 1")

// callsOfEvery is the number of calls that everyCall makes of a member.
const callsOfEvery = 9 + form.Count

// faulty is a CPU backend whose failAt-th call fails with err, and every later one if that
// is ErrDevice. The call by which New checks that it can be used does not count. A Stream
// that fails has overwritten half of its dst.
type faulty struct {
	compute.Backend
	failAt int // from 1 on; 0 is none
	err    error

	mu    sync.Mutex
	calls int
}

func newFaulty(failAt int, err error) *faulty {
	return &faulty{Backend: cpus(1)[0], failAt: failAt, err: err, calls: -1}
}

// next counts a call and returns its error.
func (b *faulty) next() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.calls++
	if b.failAt > 0 && (b.calls == b.failAt || b.calls > b.failAt && errors.Is(b.err, compute.ErrDevice)) {
		return fmt.Errorf("call %d: on fire: %w", b.calls, b.err)
	}
	return nil
}

// failed reports whether a call has failed.
func (b *faulty) failed() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.failAt > 0 && b.calls >= b.failAt
}

type faultyBuffer struct {
	compute.Buffer
	b *faulty
}

type faultyMask struct {
	compute.Mask
	b *faulty
}

func (b *faulty) Info() compute.Info {
	info := b.Backend.Info()
	info.Name, info.Backend = "faulty", "faulty"
	return info
}

func (b *faulty) Alloc(n int) (compute.Buffer, error) {
	if err := b.next(); err != nil {
		return nil, err
	}
	buf, err := b.Backend.Alloc(n)
	return faultyBuffer{buf, b}, err
}

func (b *faulty) Upload(src []float32) (compute.Buffer, error) {
	if err := b.next(); err != nil {
		return nil, err
	}
	buf, err := b.Backend.Upload(src)
	return faultyBuffer{buf, b}, err
}

func (b *faulty) AllocMask(n int) (compute.Mask, error) {
	if err := b.next(); err != nil {
		return nil, err
	}
	m, err := b.Backend.AllocMask(n)
	return faultyMask{m, b}, err
}

func (b faultyBuffer) Write(src []float32) error {
	if err := b.b.next(); err != nil {
		return err
	}
	return b.Buffer.Write(src)
}

func (b faultyBuffer) Read(dst []float32) error {
	if err := b.b.next(); err != nil {
		return err
	}
	return b.Buffer.Read(dst)
}

func (b faultyBuffer) WriteAt(src []float32, from int) error {
	if err := b.b.next(); err != nil {
		return err
	}
	return b.Buffer.WriteAt(src, from)
}

func (b faultyBuffer) ReadAt(dst []float32, from int) error {
	if err := b.b.next(); err != nil {
		return err
	}
	return b.Buffer.ReadAt(dst, from)
}

func (b faultyBuffer) View(from, to int) (compute.Buffer, error) {
	if err := b.b.next(); err != nil {
		return nil, err
	}
	v, err := b.Buffer.View(from, to)
	return faultyBuffer{v, b.b}, err
}

func (m faultyMask) Read(dst []uint64) error {
	if err := m.b.next(); err != nil {
		return err
	}
	return m.Mask.Read(dst)
}

// run runs fm on the wrapped backend, with the wrapped operands.
func (b *faulty) run(fm form.Form, f compute.Activation, args form.Args) error {
	if err := b.next(); err != nil {
		return err
	}
	for _, o := range fm.Operands() {
		if o == form.M {
			args.M = args.M.(faultyMask).Mask
		} else {
			*args.Buffer(o) = (*args.Buffer(o)).(faultyBuffer).Buffer
		}
	}
	return fm.Run(b.Backend, f, args)
}

func (b *faulty) Forward(f compute.Activation, y, x compute.Buffer) error {
	return b.run(form.Forward, f, form.Args{Y: y, X: x})
}

func (b *faulty) Derivative(f compute.Activation, d, x compute.Buffer) error {
	return b.run(form.Derivative, f, form.Args{D: d, X: x})
}

func (b *faulty) Backward(f compute.Activation, dx, dy, x compute.Buffer) error {
	return b.run(form.Backward, f, form.Args{DX: dx, DY: dy, X: x})
}

func (b *faulty) ForwardDerivative(f compute.Activation, y, d, x compute.Buffer) error {
	return b.run(form.ForwardDerivative, f, form.Args{Y: y, D: d, X: x})
}

func (b *faulty) ForwardMask(f compute.Activation, y compute.Buffer, m compute.Mask, x compute.Buffer) error {
	return b.run(form.ForwardMask, f, form.Args{Y: y, M: m, X: x})
}

func (b *faulty) BackwardMask(f compute.Activation, dx, dy compute.Buffer, m compute.Mask) error {
	return b.run(form.BackwardMask, f, form.Args{DX: dx, DY: dy, M: m})
}

func (b *faulty) Sync() error {
	if err := b.next(); err != nil {
		return err
	}
	return b.Backend.Sync()
}

func (b *faulty) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	if err := b.next(); err != nil {
		for i := range dst[:(len(dst)+1)/2] {
			dst[i] = 12345
		}
		return err
	}
	return b.Backend.Stream(ctx, op, f, dst, src)
}

// Run is like the other calls, on the wrapped operands.
func (b *faulty) Run(p *expr.Program, args ...compute.Arg) error {
	if err := b.next(); err != nil {
		return err
	}
	return b.Backend.Run(p, unwrapped(args)...)
}

func (b *faulty) Copy(dst, src compute.Buffer) error {
	if err := b.next(); err != nil {
		return err
	}
	return b.Backend.Copy(dst.(faultyBuffer).Buffer, src.(faultyBuffer).Buffer)
}

func (b *faulty) Gather(dst, src, index compute.Buffer) error {
	if err := b.next(); err != nil {
		return err
	}
	return b.Backend.Gather(dst.(faultyBuffer).Buffer, src.(faultyBuffer).Buffer, index.(faultyBuffer).Buffer)
}

func (b *faulty) Reduce(out compute.Buffer, r compute.Reduction, along compute.Axis, p *expr.Program, args ...compute.Arg) error {
	if err := b.next(); err != nil {
		return err
	}
	return b.Backend.Reduce(out.(faultyBuffer).Buffer, r, along, p, unwrapped(args)...)
}

func (b *faulty) MatMul(z, x compute.Buffer, m, k int, y compute.Buffer, n int, options ...compute.MatMulOption) error {
	if err := b.next(); err != nil {
		return err
	}
	options = append(options, func(p *compute.Product) { p.Args = unwrapped(p.Args) })
	return b.Backend.(compute.Linear).MatMul(z.(faultyBuffer).Buffer, x.(faultyBuffer).Buffer, m, k, y.(faultyBuffer).Buffer, n, options...)
}

// unwrapped returns the operands of the wrapped backend.
func unwrapped(args []compute.Arg) []compute.Arg {
	list := slices.Clone(args)
	for i, a := range list {
		switch v := a.(type) {
		case faultyBuffer:
			list[i] = v.Buffer
		case faultyMask:
			list[i] = v.Mask
		case compute.Repeated:
			list[i] = compute.Repeated{Of: unwrapped([]compute.Arg{v.Of})[0], Col: v.Col}
		}
	}
	return list
}

func (b *faulty) RunSlices(ctx context.Context, p *expr.Program, args ...compute.Arg) error {
	if err := b.next(); err != nil {
		for _, a := range args[:len(p.Results())] {
			switch v := a.(type) {
			case compute.Slice:
				for i := range v[:(len(v)+1)/2] {
					v[i] = -12345
				}
			case compute.Words:
				for i := range v {
					v[i] = ^v[i]
				}
			}
		}
		return err
	}
	return b.Backend.RunSlices(ctx, p, args...)
}

// timed is a backend that computes nothing but takes a given time.
type timed struct {
	compute.Backend
	call    time.Duration // what Forward takes, and an element
	element time.Duration
	limit   int64        // MaxAlloc
	rate    float64      // of Stream, elements per second
	streams atomic.Int32 // calls of Stream
	length  int          // of the last buffer
}

func (*timed) Unwrap() compute.Backend { return nil } // it wraps nothing

type timedBuffer int

func (n timedBuffer) Len() int            { return int(n) }
func (timedBuffer) Write([]float32) error { return nil }
func (timedBuffer) Read([]float32) error  { return nil }
func (timedBuffer) Release() error        { return nil }

func (timedBuffer) WriteAt([]float32, int) error          { return nil }
func (timedBuffer) ReadAt([]float32, int) error           { return nil }
func (timedBuffer) View(int, int) (compute.Buffer, error) { return nil, errors.New("no views") }

func (b *timed) Info() compute.Info {
	return compute.Info{Name: "timed", SharedMemory: true, MaxAlloc: b.limit}
}
func (*timed) Sync() error  { return nil }
func (*timed) Close() error { return nil }
func (b *timed) Alloc(n int) (compute.Buffer, error) {
	b.length = n
	return timedBuffer(n), nil
}
func (b *timed) Upload(src []float32) (compute.Buffer, error) {
	var negative, positive bool
	for _, v := range src {
		negative, positive = negative || v < 0, positive || v > 0
	}
	if !negative || !positive {
		return nil, errors.New("the data is of one sign")
	}
	return timedBuffer(len(src)), nil
}

func (b *timed) Forward(_ compute.Activation, y, _ compute.Buffer) error {
	time.Sleep(b.call + b.element*time.Duration(y.Len()))
	return nil
}

func (b *timed) Stream(_ context.Context, _ compute.Op, _ compute.Activation, dst, _ []float32) error {
	b.streams.Add(1)
	time.Sleep(time.Duration(float64(len(dst)) / b.rate * 1e9))
	return nil
}
