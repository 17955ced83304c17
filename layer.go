package compute

import (
	"cmp"
	"fmt"
	"slices"
	"sync"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/check"
)

// A Layer is an activation as a layer of a network: Forward remembers its input, and
// Derivative and Backward use it. A Layer may be used concurrently; a call then uses the
// input of whichever Forward was last.
//
// The methods on slices keep the input on the device, 4 bytes per element. They reuse their
// memory there if the length repeats. Those on buffers chain layers on the device, and
// keep only what Backward needs of the input: 1 bit per element if Activation.HasBit, and
// otherwise a copy of it. Both may be mixed.
type Layer struct {
	b Backend
	f Activation

	mu    sync.Mutex // guards what follows
	n     int        // elements of the last input
	knows knowledge
	x     Buffer // the last input, if knowsInput; else of any length, or nil
	work  Buffer // for results; of any length, or nil
	bits  Mask   // of the last input, if knowsBits; else of any length, or nil
	ones  Buffer // every element is 1; of any length, or nil
}

// knowledge is what a Layer remembers of its last input.
type knowledge int

const (
	knowsNothing knowledge = iota
	knowsInput
	knowsBits
)

// ErrBitsOnly is the ErrNoInput of Layer.Inputs after ForwardBuffer: the layer has only
// a bit of each element of its last input.
var ErrBitsOnly = fmt.Errorf("only its bits: %w", ErrNoInput)

// NewLayer returns a layer that computes f on b. It holds memory of b from the first
// Forward until Release, or until b is closed. If b is nil, its methods return
// ErrUnavailable.
func NewLayer(b Backend, f Activation) *Layer { return &Layer{b: b, f: f} }

// Activation returns the function of the layer.
func (l *Layer) Activation() Activation { return l.f }

// String returns the function of the layer, such as "LeakyReLU(negative_slope=0.01)".
func (l *Layer) String() string { return l.f.String() }

// Remember makes x the last input, as Forward does, without computing f. Errors: those of
// Backend.Upload.
func (l *Layer) Remember(x []float32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.remember(x)
}

// Forward returns f(x[i]) for each element, and remembers x. Errors: those of
// Backend.Upload and Backend.Forward.
func (l *Layer) Forward(x []float32) ([]float32, error) {
	return results(len(x), func(y []float32) error { return l.ForwardInto(y, x) })
}

// Derivative returns f'(x[i]) for each element of the last input. Errors: ErrNoInput, and
// those of Backend.Derivative.
func (l *Layer) Derivative() ([]float32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return results(l.n, l.derivative)
}

// Backward returns dy[i]*f'(x[i]) for each element of the last input. dy has the length of
// that input. Errors: ErrNoInput, and those of Backend.Backward.
func (l *Layer) Backward(dy []float32) ([]float32, error) {
	return results(len(dy), func(dx []float32) error { return l.BackwardInto(dx, dy) })
}

// results returns n new elements, set by compute.
func results(n int, compute func([]float32) error) ([]float32, error) {
	r := make([]float32, n)
	if err := compute(r); err != nil {
		return nil, err
	}
	return r, nil
}

// ForwardInto is like Forward, and sets y, which has the length of x (ErrLength) and may be
// x. On the CPU it allocates nothing if the length repeats.
func (l *Layer) ForwardInto(y, x []float32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.lengths("forward", "y", len(y), "x", len(x)); err != nil {
		return err
	}
	if err := l.remember(x); err != nil {
		return err
	}
	if err := l.forward(y); err != nil {
		l.knows = knowsNothing
		return err
	}
	return nil
}

// remember makes x the last input.
func (l *Layer) remember(x []float32) error {
	l.knows = knowsNothing
	if err := reserve(l, &l.x, len(x), Backend.Alloc); err != nil {
		return err
	}
	if err := l.x.Write(x); err != nil {
		return err
	}
	l.knows, l.n = knowsInput, len(x)
	return nil
}

func (l *Layer) forward(y []float32) error {
	if err := reserve(l, &l.work, l.n, Backend.Alloc); err != nil {
		return err
	}
	if err := l.b.Forward(l.f, l.work, l.x); err != nil {
		return err
	}
	return l.work.Read(y)
}

// DerivativeInto is like Derivative, and sets d, which has the length of the last input
// (ErrLength).
func (l *Layer) DerivativeInto(d []float32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.derivative(d)
}

func (l *Layer) derivative(d []float32) error {
	if err := l.hasInput("derivative", "d", len(d)); err != nil {
		return err
	}
	if err := reserve(l, &l.work, l.n, Backend.Alloc); err != nil {
		return err
	}
	if err := l.derivativeTo(l.work); err != nil {
		return err
	}
	return l.work.Read(d)
}

// BackwardInto is like Backward, and sets dx, which has the length of dy (ErrLength) and
// may be dy.
func (l *Layer) BackwardInto(dx, dy []float32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.hasInput("backward", "dy", len(dy)); err != nil {
		return err
	}
	if err := l.lengths("backward", "dx", len(dx), "dy", len(dy)); err != nil {
		return err
	}
	if err := reserve(l, &l.work, l.n, Backend.Alloc); err != nil {
		return err
	}
	if err := l.work.Write(dy); err != nil {
		return err
	}
	if err := l.backwardTo(l.work, l.work); err != nil {
		return err
	}
	return l.work.Read(dx)
}

// ForwardBuffer sets y[i] = f(x[i]) on the device, and remembers Activation.Bit of each x[i],
// or x[i] if f has no bit. y has the length of x and may be x. Errors: those of
// Backend.AllocMask and Backend.ForwardMask, or of Backend.Alloc, Backend.Run and
// Backend.Forward.
func (l *Layer) ForwardBuffer(y, x Buffer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.knows = knowsNothing
	n := 0
	if !check.IsNil(x) { // otherwise ForwardMask returns the error
		n = x.Len()
	}
	if !l.f.HasBit() {
		return l.copyForward(y, x, n)
	}
	if err := reserve(l, &l.bits, n, Backend.AllocMask); err != nil {
		return err
	}
	if err := l.b.ForwardMask(l.f, y, l.bits, x); err != nil {
		return err
	}
	l.knows, l.n = knowsBits, n
	return nil
}

// copied is the program of a copy.
var copied = expr.MustParse("copy(x) = x")

// copyForward is ForwardBuffer for a function without a bit. x has n elements.
func (l *Layer) copyForward(y, x Buffer, n int) error {
	if err := l.open(); err != nil {
		return err
	}
	if err := l.f.Validate(); err != nil {
		return fmt.Errorf("compute: forward of %v: %w", l.f, err)
	}
	if err := reserve(l, &l.x, n, Backend.Alloc); err != nil {
		return err
	}
	if !check.IsNil(x) { // otherwise Forward returns the error
		if err := l.b.Run(copied, l.x, x); err != nil {
			return err
		}
	}
	if err := l.b.Forward(l.f, y, x); err != nil {
		return err
	}
	l.knows, l.n = knowsInput, n
	return nil
}

// DerivativeBuffer sets d[i] = f'(x[i]) on the device, for the last input x. d has the
// length of x. Errors: ErrNoInput, and those of Backend.Derivative.
func (l *Layer) DerivativeBuffer(d Buffer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.hasInput("derivative", "", 0); err != nil {
		return err
	}
	return l.derivativeTo(d)
}

// BackwardBuffer sets dx[i] = dy[i]*f'(x[i]) on the device, for the last input x. dx and dy
// have the length of x; dx may be dy. Errors: ErrNoInput, and those of Backend.Backward.
func (l *Layer) BackwardBuffer(dx, dy Buffer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.hasInput("backward", "", 0); err != nil {
		return err
	}
	return l.backwardTo(dx, dy)
}

func (l *Layer) derivativeTo(d Buffer) error {
	if l.knows == knowsInput {
		return l.b.Derivative(l.f, d, l.x)
	}
	// For dy = 1 the gradient is the derivative.
	if l.ones == nil || l.ones.Len() != l.n {
		if err := reserve(l, &l.ones, l.n, Backend.Alloc); err != nil {
			return err
		}
		if err := l.ones.Write(slices.Repeat([]float32{1}, l.n)); err != nil {
			release(&l.ones) // the next call must write it
			return err
		}
	}
	return l.b.BackwardMask(l.f, d, l.ones, l.bits)
}

func (l *Layer) backwardTo(dx, dy Buffer) error {
	if l.knows == knowsInput {
		return l.b.Backward(l.f, dx, dy, l.x)
	}
	return l.b.BackwardMask(l.f, dx, dy, l.bits)
}

// Inputs returns the last input. Errors: ErrNoInput; ErrBitsOnly, after ForwardBuffer of a
// function with a bit; and those of Buffer.Read.
func (l *Layer) Inputs() ([]float32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.knows == knowsBits {
		return nil, fmt.Errorf("compute: inputs of %v: after ForwardBuffer the layer has only a bit of each element; keep the buffer, or use Forward: %w", l.f, ErrBitsOnly)
	}
	if err := l.hasInput("inputs", "", 0); err != nil {
		return nil, err
	}
	return results(l.n, l.x.Read)
}

// Release releases the memory that the layer holds, and forgets the last input. The layer
// can be used again. Errors: ErrDevice.
func (l *Layer) Release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.knows, l.n = knowsNothing, 0
	return cmp.Or(release(&l.x), release(&l.work), release(&l.ones), release(&l.bits))
}

// memory is a Buffer or a Mask.
type memory interface {
	Len() int
	Release() error
}

// reserve sets *m to what alloc returns for n, unless it has that length already.
func reserve[T memory](l *Layer, m *T, n int, alloc func(Backend, int) (T, error)) error {
	if any(*m) != nil && (*m).Len() == n {
		return nil
	}
	if err := l.open(); err != nil {
		return err
	}
	if err := release(m); err != nil {
		return err
	}
	made, err := alloc(l.b, n)
	if err != nil {
		return err
	}
	*m = made
	return nil
}

// release releases *m, which may be nil, and sets it to nil.
func release[T memory](m *T) error {
	var none T
	old := *m
	*m = none
	if any(old) == nil {
		return nil
	}
	return old.Release()
}

// open returns an error if the layer has no backend.
func (l *Layer) open() error {
	if check.IsNil(l.b) {
		return fmt.Errorf("compute: %v has no backend; make the layer with NewLayer, and a backend that is not nil: %w", l.f, ErrUnavailable)
	}
	return nil
}

// hasInput returns an error if there is no last input, or if the slice named arg has
// another length.
func (l *Layer) hasInput(op, arg string, n int) error {
	if l.knows == knowsNothing {
		return fmt.Errorf("compute: %s of %v: there is no input; call Forward first: %w", op, l.f, ErrNoInput)
	}
	if arg == "" {
		return nil
	}
	return l.lengths(op, arg, n, "the last input", l.n)
}

func (l *Layer) lengths(op, a string, lenA int, b string, lenB int) error {
	if lenA != lenB {
		return fmt.Errorf("compute: %s of %v: %s has %d elements and %s has %d; they must be the same number: %w", op, l.f, a, lenA, b, lenB, ErrLength)
	}
	return nil
}
