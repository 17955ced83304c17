// Package check holds the argument checks that all backends make, so that each
// refuses the same input with the same words, and the errors that they wrap. Package
// compute is itself a backend of backends, so this one does not import it.
package check

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"time"
	"unsafe"
)

// The errors, which package compute exports and documents.
var (
	ErrUnavailable   = errors.New("backend unavailable")
	ErrClosed        = errors.New("closed")
	ErrLength        = errors.New("wrong length")
	ErrOverlap       = errors.New("overlap")
	ErrForeignBuffer = errors.New("foreign buffer")
	ErrSlope         = errors.New("slope not finite")
	ErrActivation    = errors.New("unknown function")
	ErrNoInput       = errors.New("no input remembered")
	ErrOutOfMemory   = errors.New("out of memory")
	ErrDevice        = errors.New("device fault")
)

// A Call is one call of a backend's method, as the errors name it.
type Call struct {
	Op     string // as "forward"
	Device string // as "cpu generic"
}

// Fail returns err, which should wrap one of the errors above, behind the
// name of the call and the words of format.
func (c Call) Fail(err error, format string, args ...any) error {
	return fmt.Errorf("compute: %s on %s: %s: %w", c.Op, c.Device, fmt.Sprintf(format, args...), err)
}

// Wrap returns err behind the name of the call, or nil if it is nil.
func (c Call) Wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("compute: %s on %s: %w", c.Op, c.Device, err)
}

// Closed is the error for any use of a closed backend.
func (c Call) Closed() error {
	return c.Fail(ErrClosed, "the backend was closed; open another")
}

// Released is the error for any use of a released buffer.
func (c Call) Released(arg string) error {
	return c.Fail(ErrClosed, "%s was released, by Release or by closing its backend; Alloc another", arg)
}

// Foreign is the error for v, the argument named arg, when it is not a buffer, or not a
// mask, of the backend that was called.
func (c Call) Foreign(arg string, v any, mask bool) error {
	from, otherwise := "Alloc or Upload", ", or Read the values and Upload them to it"
	if mask {
		from, otherwise = "AllocMask", ""
	}
	if IsNil(v) {
		return c.Fail(ErrForeignBuffer, "%s is nil; make one with %s", arg, from)
	}
	return c.Fail(ErrForeignBuffer, "%s, a %T, was not made by this backend; pass what its own %s returned, unwrapped%s", arg, v, from, otherwise)
}

// Memory is a buffer or a mask that a backend has made.
type Memory interface {
	Len() int // elements, or bits
	Owner() any
	Released() bool
}

// An Operand is a buffer or a mask among the arguments of a call.
type Operand struct {
	Name   string
	Mask   bool
	Arg    any    // as it was passed
	Memory Memory // Arg; nil if the backend that was called did not make it
}

// NewOperand returns the argument arg, named name, of a call of owner.
func NewOperand(owner any, name string, mask bool, arg any) Operand {
	o := Operand{Name: name, Mask: mask, Arg: arg}
	if m, ok := arg.(Memory); ok && !IsNil(arg) && m.Owner() == owner {
		o.Memory = m
	}
	return o
}

// Operands returns the length of operands, of which the first are results. It refuses
// operands that the backend did not make, that were released, that differ in length, and
// two results in one buffer.
func (c Call) Operands(operands []Operand, results int) (n int, err error) {
	for _, o := range operands {
		if o.Memory == nil {
			return 0, c.Foreign(o.Name, o.Arg, o.Mask)
		}
	}
	for _, o := range operands {
		if o.Memory.Released() {
			return 0, c.Released(o.Name)
		}
	}
	last := operands[len(operands)-1]
	for _, o := range operands {
		if err := c.Lengths(o.Name, o.Memory.Len(), last.Name, last.Memory.Len()); err != nil {
			return 0, err
		}
	}
	if results == 2 && operands[0].Memory == operands[1].Memory {
		return 0, c.SameResult(operands[0].Name, operands[1].Name)
	}
	return last.Memory.Len(), nil
}

// IsNil reports whether v is nil or holds a nil pointer.
func IsNil(v any) bool {
	r := reflect.ValueOf(v)
	return !r.IsValid() || r.Kind() == reflect.Pointer && r.IsNil()
}

// Words returns the number of uint64 that hold n bits.
func Words(n int) int { return n/64 + (n%64+63)/64 } // n+63 may be too much

// MaskWords refuses a number of words that is not that of a mask of n bits.
func (c Call) MaskWords(n, words int) error {
	if need := Words(n); words != need {
		return c.Fail(ErrLength, "the mask has %d bits, in %d words, and dst has %d words; they must be the same number", n, need, words)
	}
	return nil
}

// SameResult is the error for two results, named a and b, in one buffer.
func (c Call) SameResult(a, b string) error {
	return c.Fail(ErrOverlap, "%s and %s are the same buffer; give each result its own", a, b)
}

// Lengths refuses two lengths, in elements, that differ.
func (c Call) Lengths(a string, lenA int, b string, lenB int) error {
	if lenA != lenB {
		return c.Fail(ErrLength, "%s has %d elements and %s has %d; they must be the same number", a, lenA, b, lenB)
	}
	return nil
}

// Size refuses a number of float32 elements that is negative or that no address
// space holds.
func (c Call) Size(n int) error {
	if n < 0 {
		return c.Fail(ErrLength, "%d elements; the number cannot be negative", n)
	}
	if n > math.MaxInt/4 {
		return c.Fail(ErrOutOfMemory, "%d elements are more bytes than there are addresses", n)
	}
	return nil
}

// Stream makes the checks of Backend.Stream; invalid is what is wrong with the
// operation or the function, or nil.
func (c Call) Stream(ctx context.Context, invalid error, dst, src []float32) error {
	if err := c.Wrap(invalid); err != nil {
		return err
	}
	if ctx == nil {
		return c.Wrap(errors.New("ctx is nil; pass context.Background()"))
	}
	if err := c.Lengths("dst", len(dst), "src", len(src)); err != nil {
		return err
	}
	if partOverlap(dst, src) {
		return c.Fail(ErrOverlap, "dst and src, of %d elements, share a part of their memory; give the same slice or separate ones", len(src))
	}
	return c.Wrap(Ended(ctx))
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
