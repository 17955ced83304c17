package compute_test

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// faulty is a CPU backend whose failAt-th call fails with err, and if that is ErrDevice
// every later one. The call by which Shard finds out whether it can be used does not
// count. A Stream that fails has overwritten half of its dst.
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

// Unwrap hides that the CPU backend is inside, which cannot fail.
func (b *faulty) Unwrap() compute.Backend { return nil }

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

// failed tells whether a call has failed.
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
	info.Name = "faulty"
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

func (m faultyMask) Read(dst []uint64) error {
	if err := m.b.next(); err != nil {
		return err
	}
	return m.Mask.Read(dst)
}

// run calls fm of the backend inside on what is inside its operands.
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
