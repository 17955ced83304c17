package compute

import (
	"fmt"
	"slices"
	"sync"

	"github.com/gmind-go/compute/internal/check"
)

// A Layer is an activation as a layer of a network: Forward remembers its input, and
// Derivative and Backward answer for it. Its methods may be called from several
// goroutines; each call then answers for whatever Forward was last.
//
// The methods on slices keep the input on the device, 4 bytes per element, and use
// their memory there again when the length repeats. Those on buffers chain layers
// without leaving the device, and keep the signs alone: 1 bit per element. Both kinds
// may be mixed.
type Layer struct {
	b Backend
	f Activation

	mu    sync.Mutex // guards what follows
	n     int        // elements of the last input
	knows knowledge
	x     Buffer // the last input, if it is known; else of any length, or nil
	work  Buffer // for results on their way; of any length, or nil
	signs Mask   // of the last input, if they are known; else of any length, or nil
	ones  Buffer // 1 in each element; of any length, or nil
}

// knowledge is what a Layer remembers of its last input.
type knowledge int

const (
	knowsNothing knowledge = iota
	knowsInput
	knowsSigns
)

// NewLayer returns a layer that computes f on b. It holds memory of b from the first
// Forward on, until Release or until b is closed. If b is nil, its methods return
// ErrUnavailable.
func NewLayer(b Backend, f Activation) *Layer { return &Layer{b: b, f: f} }

// Activation returns the function of the layer.
func (l *Layer) Activation() Activation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.f
}

// String returns the layer as G-Mind prints it, "LeakyRelu(negative_slope=0.01)", or, if
// G-Mind has no such layer, as its Activation.
func (l *Layer) String() string {
	f := l.Activation()
	if inGMind(f) != nil {
		return f.String()
	}
	return fmt.Sprintf("%s(negative_slope=%v)", gmindType, f.NegativeSlope)
}

// Forward returns f(x[i]) for each element, and remembers x. Errors: those of
// Backend.Upload and Backend.Forward.
func (l *Layer) Forward(x []float32) ([]float32, error) {
	return results(len(x), func(y []float32) error { return l.ForwardInto(y, x) })
}

// Derivative returns f'(x[i]) for each element of the last input. Errors: ErrNoInput,
// and those of Backend.Derivative.
func (l *Layer) Derivative() ([]float32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return results(l.n, l.derivative)
}

// Backward returns dy[i]*f'(x[i]) for each element of the last input, whose length
// dy has. Errors: ErrNoInput, and those of Backend.Backward.
func (l *Layer) Backward(dy []float32) ([]float32, error) {
	return results(len(dy), func(dx []float32) error { return l.BackwardInto(dx, dy) })
}

// results returns n new elements that compute has set.
func results(n int, compute func([]float32) error) ([]float32, error) {
	r := make([]float32, n)
	if err := compute(r); err != nil {
		return nil, err
	}
	return r, nil
}

// ForwardInto is Forward with the result in y, which has the length of x and may be
// x. It allocates nothing on the CPU when the length repeats.
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
	if err := l.reserve(&l.x, len(x)); err != nil {
		return err
	}
	if err := l.x.Write(x); err != nil {
		return err
	}
	l.knows, l.n = knowsInput, len(x)
	return nil
}

func (l *Layer) forward(y []float32) error {
	if err := l.reserve(&l.work, l.n); err != nil {
		return err
	}
	if err := l.b.Forward(l.f, l.work, l.x); err != nil {
		return err
	}
	return l.work.Read(y)
}

// DerivativeInto is Derivative with the result in d, which has the length of the
// last input (ErrLength).
func (l *Layer) DerivativeInto(d []float32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.derivative(d)
}

func (l *Layer) derivative(d []float32) error {
	if err := l.answers("derivative", "d", len(d)); err != nil {
		return err
	}
	if err := l.reserve(&l.work, l.n); err != nil {
		return err
	}
	if err := l.derivativeTo(l.work); err != nil {
		return err
	}
	return l.work.Read(d)
}

// BackwardInto is Backward with the result in dx, which has the length of dy and may
// be dy.
func (l *Layer) BackwardInto(dx, dy []float32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.answers("backward", "dy", len(dy)); err != nil {
		return err
	}
	if err := l.lengths("backward", "dx", len(dx), "dy", len(dy)); err != nil {
		return err
	}
	if err := l.reserve(&l.work, l.n); err != nil {
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

// ForwardBuffer sets y[i] = f(x[i]) on the device and remembers the signs of x, so
// that y may be x. Errors: those of Backend.AllocMask and Backend.ForwardMask.
func (l *Layer) ForwardBuffer(y, x Buffer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.knows = knowsNothing
	n := 0
	if !check.IsNil(x) { // else the backend says so
		n = x.Len()
	}
	if l.signs == nil || l.signs.Len() != n {
		if err := l.open(); err != nil {
			return err
		}
		if l.signs != nil {
			old := l.signs
			l.signs = nil
			if err := old.Release(); err != nil {
				return err
			}
		}
		m, err := l.b.AllocMask(n)
		if err != nil {
			return err
		}
		l.signs = m
	}
	if err := l.b.ForwardMask(l.f, y, l.signs, x); err != nil {
		return err
	}
	l.knows, l.n = knowsSigns, n
	return nil
}

// DerivativeBuffer sets d[i] = f'(x[i]) on the device, for the last input. Errors:
// ErrNoInput, and those of Backend.Derivative.
func (l *Layer) DerivativeBuffer(d Buffer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.answers("derivative", "", 0); err != nil {
		return err
	}
	return l.derivativeTo(d)
}

// BackwardBuffer sets dx[i] = dy[i]*f'(x[i]) on the device, for the last input. dx
// may be dy. Errors: ErrNoInput, and those of Backend.Backward.
func (l *Layer) BackwardBuffer(dx, dy Buffer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.answers("backward", "", 0); err != nil {
		return err
	}
	return l.backwardTo(dx, dy)
}

func (l *Layer) derivativeTo(d Buffer) error {
	if l.knows == knowsInput {
		return l.b.Derivative(l.f, d, l.x)
	}
	// The gradient of 1 is the derivative.
	if l.ones == nil || l.ones.Len() != l.n {
		if err := l.reserve(&l.ones, l.n); err != nil {
			return err
		}
		if err := l.ones.Write(slices.Repeat([]float32{1}, l.n)); err != nil {
			return err
		}
	}
	return l.b.BackwardMask(l.f, d, l.ones, l.signs)
}

func (l *Layer) backwardTo(dx, dy Buffer) error {
	if l.knows == knowsInput {
		return l.b.Backward(l.f, dx, dy, l.x)
	}
	return l.b.BackwardMask(l.f, dx, dy, l.signs)
}

// Inputs returns the last input. Errors: ErrNoInput, also after ForwardBuffer, of
// which the signs alone are known; and those of Buffer.Read.
func (l *Layer) Inputs() ([]float32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.knows == knowsSigns {
		return nil, fmt.Errorf("compute: inputs of %v: after ForwardBuffer the signs alone are known; keep the buffer, or use Forward: %w", l.f, ErrNoInput)
	}
	if err := l.answers("inputs", "", 0); err != nil {
		return nil, err
	}
	return results(l.n, l.x.Read)
}

// Release gives the memory that the layer holds back, and forgets the last input. The
// layer can be used again. Errors: ErrDevice.
func (l *Layer) Release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.knows, l.n = knowsNothing, 0
	var first error
	for _, buf := range []*Buffer{&l.x, &l.work, &l.ones} {
		if *buf != nil {
			if err := (*buf).Release(); first == nil {
				first = err
			}
			*buf = nil
		}
	}
	if l.signs != nil {
		if err := l.signs.Release(); first == nil {
			first = err
		}
		l.signs = nil
	}
	return first
}

// reserve makes *buf a buffer of n elements, if it is not.
func (l *Layer) reserve(buf *Buffer, n int) error {
	if *buf != nil && (*buf).Len() == n {
		return nil
	}
	if err := l.open(); err != nil {
		return err
	}
	if *buf != nil {
		old := *buf
		*buf = nil
		if err := old.Release(); err != nil {
			return err
		}
	}
	made, err := l.b.Alloc(n)
	if err != nil {
		return err
	}
	*buf = made
	return nil
}

// open refuses a layer without a backend.
func (l *Layer) open() error {
	if check.IsNil(l.b) {
		return fmt.Errorf("compute: %v has no backend; make the layer with NewLayer, and a backend that is not nil: %w", l.f, ErrUnavailable)
	}
	return nil
}

// answers refuses a call for the last input if there is none, or if the slice named
// arg has another length.
func (l *Layer) answers(op, arg string, n int) error {
	if l.knows == knowsNothing {
		return fmt.Errorf("compute: %s of %v: no input is remembered; call Forward first: %w", op, l.f, ErrNoInput)
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
