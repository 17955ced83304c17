package train

import (
	"fmt"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/check"
)

var (
	square   = expr.MustParse("square(x) = x * x")
	root     = expr.MustParse("root(x) = sqrt(x)")
	clipNorm = expr.MustParse("clipNorm(g, norm, limit) = g * min(1, limit/(norm+1e-6))")
)

// Norm sets norm, of one element, to the square root of the sum of g². Errors: those of
// Backend.Reduce.
func Norm(b compute.Backend, norm, g compute.Buffer) error {
	return setNorm(b, "norm", norm, g)
}

func setNorm(b compute.Backend, op string, norm, g compute.Buffer) error {
	if err := opened(b, op); err != nil {
		return err
	}
	if err := b.Reduce(norm, compute.Sum, compute.All(), square, g); err != nil {
		return fmt.Errorf("train: %s: %w", op, err)
	}
	return b.Run(root, norm, norm)
}

// ClipNorm multiplies g by limit/norm if its norm exceeds limit, and sets norm, of one element,
// to what the norm was. It is PyTorch's clip_grad_norm_, which divides by norm+1e-6. If the
// norm is NaN, all of g becomes NaN, so that a broken gradient is seen. Nothing is read from the
// device.
//
// Errors: compute.ErrArgument unless limit is above 0; those of Backend.Reduce.
func ClipNorm(b compute.Backend, g, norm compute.Buffer, limit float32) error {
	if !(limit > 0) {
		return fmt.Errorf("train: clip norm: the limit is %v; give one above 0: %w", limit, compute.ErrArgument)
	}
	if err := setNorm(b, "clip norm", norm, g); err != nil {
		return err
	}
	return b.Run(clipNorm, g, g, compute.Row(norm), compute.F32(limit))
}

// opened returns an error if b is nil.
func opened(b compute.Backend, op string) error {
	if check.IsNil(b) {
		return fmt.Errorf("train: %s: the backend is nil; open one: %w", op, compute.ErrUnavailable)
	}
	return nil
}
