package driver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"time"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/check"
)

// A call is one call of a method of a backend, as errors name it.
type call struct {
	op     string // such as "forward"
	device string // such as "cpu generic"
}

// fail returns err, which should wrap an error of package compute, after the name of the
// call and the words of format.
func (c call) fail(err error, format string, args ...any) error {
	return c.wrap(fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err))
}

// wrap returns err after the name of the call, or nil if it is nil.
func (c call) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("compute: %s on %s: %w", c.op, c.device, err)
}

func (c call) closed() error {
	return c.fail(compute.ErrClosed, "the backend was closed; open another")
}

func (c call) released(arg string) error {
	return c.fail(compute.ErrClosed, "%s was released, by Release or by closing its backend; Alloc another", arg)
}

// foreign is the error for v, the argument named arg, when it is not a buffer, or not a
// mask, of the backend that was called.
func (c call) foreign(arg string, v any, mask bool) error {
	from, otherwise := "Alloc or Upload", ", or Read the values and Upload them to it"
	if mask {
		from, otherwise = "AllocMask", ""
	}
	if check.IsNil(v) {
		return c.fail(compute.ErrForeignBuffer, "%s is nil; make one with %s", arg, from)
	}
	return c.fail(compute.ErrForeignBuffer, "%s, a %T, was not made by this backend; pass what its own %s returned, unwrapped%s", arg, v, from, otherwise)
}

// noBit refuses a form with a mask of f, which has no bit.
func (c call) noBit(f compute.Activation) error {
	return c.fail(compute.ErrActivation, "a bit of each x is not enough for the derivative of %v; keep x, and call Forward and Backward", f)
}

// lengths refuses two lengths, in elements, that differ.
func (c call) lengths(a string, lenA int, b string, lenB int) error {
	if lenA != lenB {
		return c.fail(compute.ErrLength, "%s has %d elements and %s has %d; they must be the same number", a, lenA, b, lenB)
	}
	return nil
}

// size refuses a number of elements that is negative or that no address space holds.
func (c call) size(n int) error {
	if n < 0 {
		return c.fail(compute.ErrLength, "%d elements; the number cannot be negative", n)
	}
	if n > math.MaxInt/4 {
		return c.fail(compute.ErrOutOfMemory, "%d elements are more bytes than there are addresses; work in parts, or use Stream", n)
	}
	return nil
}

// stream refuses the arguments of Backend.Stream that no device can compute.
func (c call) stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	if err := cmp.Or(op.Validate(), f.Validate()); err != nil {
		return c.wrap(err)
	}
	if ctx == nil {
		return c.wrap(errors.New("ctx is nil; pass context.Background()"))
	}
	if err := c.lengths("dst", len(dst), "src", len(src)); err != nil {
		return err
	}
	if partOverlap(dst, src) {
		return c.fail(compute.ErrOverlap, "dst and src, of %d elements, share a part of their memory; give the same slice or separate ones", len(src))
	}
	return c.wrap(Ended(ctx))
}

// Ended returns why ctx has ended, or nil. A deadline counts as soon as it has passed:
// ctx.Err() changes later, when a timer fires, which takes long while all cores compute.
func Ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= 0 {
		return context.DeadlineExceeded
	}
	return nil
}

// partOverlap reports whether a and b, of equal length, share memory but do not start at
// the same element.
func partOverlap(a, b []float32) bool {
	if len(a) == 0 || &a[0] == &b[0] {
		return false
	}
	startA, startB := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	size := uintptr(len(a)) * unsafe.Sizeof(a[0])
	return startA < startB+size && startB < startA+size
}
