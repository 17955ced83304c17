// Package check holds the argument checks that all backends make, so that each
// refuses the same input with the same words.
package check

import (
	"context"
	"fmt"
	"math"
	"unsafe"

	"github.com/gmind-go/compute"
)

// A Call is one call of a backend's method, as the errors name it.
type Call struct {
	Op     string // as "forward"
	Device string // as "cpu generic"
}

// Fail returns err, which should wrap a sentinel of package compute, behind the
// name of the call and the words of format.
func (c Call) Fail(err error, format string, args ...any) error {
	return fmt.Errorf("compute: %s on %s: %s: %w", c.Op, c.Device, fmt.Sprintf(format, args...), err)
}

// Wrap returns err behind the name of the call.
func (c Call) Wrap(err error) error {
	return fmt.Errorf("compute: %s on %s: %w", c.Op, c.Device, err)
}

// Closed is the error for any use of a closed backend.
func (c Call) Closed() error {
	return c.Fail(compute.ErrClosed, "the backend was closed; open another")
}

// Released is the error for any use of a released buffer.
func (c Call) Released(arg string) error {
	return c.Fail(compute.ErrClosed, "%s was released, by Release or by closing its backend; Alloc another", arg)
}

// Foreign is the error for buf, the argument named arg, when it is not a buffer
// of the backend that was called.
func (c Call) Foreign(arg string, buf compute.Buffer) error {
	if buf == nil {
		return c.Fail(compute.ErrForeignBuffer, "%s is nil; make one with Alloc or Upload", arg)
	}
	return c.Fail(compute.ErrForeignBuffer, "%s belongs to another backend; Read it and Upload it to this one", arg)
}

// ForeignMask is Foreign for a mask.
func (c Call) ForeignMask(arg string, m compute.Mask) error {
	if m == nil {
		return c.Fail(compute.ErrForeignBuffer, "%s is nil; make one with AllocMask", arg)
	}
	return c.Fail(compute.ErrForeignBuffer, "%s belongs to another backend; make one with AllocMask of this one", arg)
}

// Words returns the number of uint64 that hold n bits.
func Words(n int) int { return n/64 + (n%64+63)/64 } // n+63 may be too much

// MaskWords refuses a number of words that is not that of a mask of n bits.
func (c Call) MaskWords(n, words int) error {
	if need := Words(n); words != need {
		return c.Fail(compute.ErrLength, "the mask has %d bits, in %d words, and dst has %d words; they must be the same number", n, need, words)
	}
	return nil
}

// SameResult is the error for two results, named a and b, in one buffer.
func (c Call) SameResult(a, b string) error {
	return c.Fail(compute.ErrOverlap, "%s and %s are the same buffer; give each result its own", a, b)
}

// Activation refuses an f that no backend can compute.
func (c Call) Activation(f compute.Activation) error {
	if err := f.Validate(); err != nil {
		return c.Wrap(err)
	}
	return nil
}

// Lengths refuses two lengths, in elements, that differ.
func (c Call) Lengths(a string, lenA int, b string, lenB int) error {
	if lenA != lenB {
		return c.Fail(compute.ErrLength, "%s has %d elements and %s has %d; they must be the same number", a, lenA, b, lenB)
	}
	return nil
}

// Size refuses a number of float32 elements that is negative or that no address
// space holds.
func (c Call) Size(n int) error {
	if n < 0 {
		return c.Fail(compute.ErrLength, "%d elements; the number cannot be negative", n)
	}
	if n > math.MaxInt/4 {
		return c.Fail(compute.ErrOutOfMemory, "%d elements are more bytes than there are addresses", n)
	}
	return nil
}

// Stream makes the checks of Backend.Stream.
func (c Call) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	if op != compute.OpForward && op != compute.OpDerivative {
		return c.Fail(compute.ErrActivation, "%v is no operation; give OpForward or OpDerivative", op)
	}
	if err := c.Activation(f); err != nil {
		return err
	}
	if err := c.Lengths("dst", len(dst), "src", len(src)); err != nil {
		return err
	}
	if partOverlap(dst, src) {
		return c.Fail(compute.ErrOverlap, "dst and src, of %d elements, share a part of their memory; give the same slice or separate ones", len(src))
	}
	if err := ctx.Err(); err != nil {
		return c.Wrap(err)
	}
	return nil
}

// partOverlap tells whether a and b, of equal length, share memory but do not
// start at the same element.
func partOverlap(a, b []float32) bool {
	if len(a) == 0 || &a[0] == &b[0] {
		return false
	}
	startA, startB := uintptr(unsafe.Pointer(&a[0])), uintptr(unsafe.Pointer(&b[0]))
	size := uintptr(len(a)) * unsafe.Sizeof(a[0])
	return startA < startB+size && startB < startA+size
}
