// Package wrong has a backend with bugs, for tests that other tests find bugs.
package wrong

import (
	"context"
	"errors"

	"github.com/gmind-go/compute"
)

// Bugs returns the bugs that a Backend can have, named after the call that is wrong.
func Bugs() []string {
	return []string{"Alloc", "AllocMask", "Upload", "Forward", "Derivative", "Backward", "ForwardDerivative", "ForwardMask", "BackwardMask",
		"Stream without its context", "Stream of too much", "Stream that continues", "Sync", "Close", "Close with an error",
		"Run with a shifted row", "Run of one result after the other", "Run with an earlier scalar", "Run without an error", "Prepare without Set",
		"RunSlices without its context", "RunSlices from another element", "RunSlices of too many bits",
		"Copy of what overlaps", "Fill", "Gather", "Reduce to a sum for a mean", "Reduce in another order", "MatMul in other blocks"}
}

// A Backend is a correct backend with one bug, of Bugs.
type Backend struct {
	compute.Backend
	Bug string
}

func (b Backend) has(bug string) bool { return b.Bug == bug }

var errWrong = errors.New("an error of Close")

func (b Backend) Alloc(n int) (compute.Buffer, error) {
	buf, err := b.Backend.Alloc(n)
	if b.has("Alloc") && errors.Is(err, compute.ErrLength) {
		err = compute.ErrOverlap
	}
	return buf, err
}

func (b Backend) AllocMask(n int) (compute.Mask, error) {
	if b.has("AllocMask") && n > 64 {
		n--
	}
	return b.Backend.AllocMask(n)
}

func (b Backend) Upload(src []float32) (compute.Buffer, error) {
	buf, err := b.Backend.Upload(src)
	if b.has("Upload") && len(src) > 0 && err == nil {
		b.Backend.Upload(src) // is never released
	}
	return buf, err
}

func (b Backend) Forward(f compute.Activation, y, x compute.Buffer) error {
	if b.has("Forward") {
		f.Params[0] = -f.Params[0]
	}
	return b.Backend.Forward(f, y, x)
}

func (b Backend) Derivative(f compute.Activation, d, x compute.Buffer) error {
	if b.has("Derivative") && d == x {
		return b.Backend.Forward(f, d, x)
	}
	return b.Backend.Derivative(f, d, x)
}

func (b Backend) Backward(f compute.Activation, dx, dy, x compute.Buffer) error {
	if b.has("Backward") {
		dy, x = x, dy
	}
	return b.Backend.Backward(f, dx, dy, x)
}

func (b Backend) ForwardDerivative(f compute.Activation, y, d, x compute.Buffer) error {
	err := b.Backend.ForwardDerivative(f, y, d, x)
	if b.has("ForwardDerivative") && errors.Is(err, compute.ErrOverlap) {
		return nil
	}
	return err
}

func (b Backend) ForwardMask(f compute.Activation, y compute.Buffer, m compute.Mask, x compute.Buffer) error {
	if b.has("ForwardMask") && y == x {
		return errors.Join(b.Backend.Forward(f, y, x), b.Backend.ForwardMask(f, y, m, x))
	}
	return b.Backend.ForwardMask(f, y, m, x)
}

func (b Backend) BackwardMask(f compute.Activation, dx, dy compute.Buffer, m compute.Mask) error {
	err := b.Backend.BackwardMask(f, dx, dy, m)
	if b.has("BackwardMask") && err == nil {
		return b.Backend.Forward(f, dx, dx)
	}
	return err
}

func (b Backend) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	switch {
	case b.has("Stream without its context"):
		ctx = context.Background()
	case b.has("Stream of too much"):
		if err := b.Backend.Stream(ctx, op, f, dst, src); err != nil || len(dst) == 0 {
			return err
		}
		dst = dst[:len(dst)+1]
		dst[len(dst)-1]++
		return nil
	case b.has("Stream that continues"):
		err := b.Backend.Stream(ctx, op, f, dst, src)
		if errors.Is(err, context.Canceled) && len(dst) > 0 {
			go func() { dst[0] = 77 }()
		}
		return err
	}
	return b.Backend.Stream(ctx, op, f, dst, src)
}

func (b Backend) Sync() error {
	err := b.Backend.Sync()
	if b.has("Sync") && err != nil {
		return nil
	}
	return err
}

func (b Backend) Close() error {
	if b.has("Close") {
		return nil
	}
	return errors.Join(b.Backend.Close(), map[bool]error{true: errWrong}[b.has("Close with an error")])
}
