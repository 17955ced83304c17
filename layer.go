package compute

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/check"
	"github.com/gmind-go/compute/internal/function"
)

// A Layer is an activation as a layer of a network: Forward remembers its input, and
// Derivative and Backward use it. A Layer may be used concurrently; a call then uses the
// input of whichever Forward was last.
//
// The methods on slices compute from host memory to host memory, as Backend.Stream does, and
// keep a copy of the input there, 4 bytes per element, which they reuse if the length repeats, or
// after KeepBits a bit of each element.
// Those on buffers chain layers on the device, and keep only what Backward needs of the input: 1
// bit per element if Activation.HasBit, and otherwise a copy of it. Both may be mixed: what is
// missing is copied once.
type Layer struct {
	b    Backend
	f    Activation
	host bool // whether b is a streamer, and fastest to copy memory of the host

	mu       sync.Mutex // guards what follows
	keepBits bool       // see KeepBits
	n        int        // elements of the last input
	knows    knowledge
	kept     []float32   // the last input, if knowsSlice; else of any length
	words    []uint64    // its bits, if knowsWords; else of any length
	x        Buffer      // the last input, if knowsBuffer; else of any length, or nil
	bits     Mask        // of the last input, if knowsBits; else of any length, or nil
	work     Buffer      // of any length, or nil
	ones     Buffer      // every element is 1; of any length, or nil
	operands [][]float32 // of compute
}

// knowledge is what a Layer remembers of its last input, as a set.
type knowledge int

const (
	knowsSlice knowledge = 1 << iota
	knowsBuffer
	knowsWords
	knowsBits

	knowsNothing knowledge = 0
)

// ErrBitsOnly is the ErrNoInput of Layer.Inputs after ForwardBuffer, or a Forward after KeepBits:
// the layer has only a bit of each element of its last input.
var ErrBitsOnly = fmt.Errorf("only its bits: %w", ErrNoInput)

// NewLayer returns a layer that computes f on b. It holds memory from the first Forward until
// Release; that of b until b is closed. If b is nil, its methods return ErrUnavailable.
func NewLayer(b Backend, f Activation) *Layer {
	if w, ok := b.(*fallback); ok { // it changes nothing that a layer calls
		b = w.Backend
	}
	l := &Layer{b: b, f: f}
	if _, ok := b.(streamer); ok && !check.IsNil(b) {
		l.host = b.Info().Backend == "cpu"
	}
	return l
}

// A streamer computes forms on slices without allocating memory.
type streamer interface {
	StreamForm(fm function.Form, f Activation, words []uint64, slices ...[]float32) error
}

// Activation returns the function of the layer.
func (l *Layer) Activation() Activation { return l.f }

// String returns the function of the layer, such as "LeakyReLU(negative_slope=0.01)".
func (l *Layer) String() string { return l.f.String() }

// KeepBits makes Forward and ForwardInto keep what ForwardBuffer keeps: of a function with
// Activation.HasBit, only a bit of each element. They then move little more than Stream moves, and
// not twice as much, but Inputs returns ErrBitsOnly. It changes nothing for other functions.
func (l *Layer) KeepBits() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keepBits = true
}

// Remember makes x the last input, as Forward does, without computing f. It keeps a copy of x, also
// after KeepBits. Errors: those of Backend.Stream.
func (l *Layer) Remember(x []float32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.forward(nil, x)
}

// Forward returns f(x[i]) for each element, and remembers x. Errors: those of Backend.Stream.
func (l *Layer) Forward(x []float32) ([]float32, error) {
	return results(len(x), func(y []float32) error { return l.ForwardInto(y, x) })
}

// Derivative returns f'(x[i]) for each element of the last input. Errors: ErrNoInput, and
// those of Backend.Stream.
func (l *Layer) Derivative() ([]float32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return results(l.n, l.derivative)
}

// Backward returns dy[i]*f'(x[i]) for each element of the last input. dy has the length of
// that input. Errors: ErrNoInput, and those of Backend.Stream.
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

// ForwardInto is like Forward, and sets y, which has the length of x (ErrLength) and is x, or
// shares no memory with it (ErrOverlap). On the CPU it allocates nothing if the length repeats.
func (l *Layer) ForwardInto(y, x []float32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.lengths("forward", "y", len(y), "x", len(x)); err != nil {
		return err
	}
	if l.keepBits && l.f.HasBit() {
		return l.forwardBits(y, x)
	}
	return l.forward(y, x)
}

// forwardBits is forward with a bit of each element.
func (l *Layer) forwardBits(y, x []float32) error {
	l.knows = knowsNothing
	if err := l.open(); err != nil {
		return err
	}
	if n := (len(x) + 63) / 64; len(l.words) != n {
		l.words = make([]uint64, n)
	}
	if err := l.compute(function.ForwardMask, y, x); err != nil {
		return err
	}
	l.knows, l.n = knowsWords, len(x)
	return nil
}

// forward makes x the last input, and sets y, which has the length of x or is empty.
func (l *Layer) forward(y, x []float32) error {
	l.knows = knowsNothing
	if err := l.open(); err != nil {
		return err
	}
	if len(l.kept) != len(x) {
		l.kept = make([]float32, len(x))
	}
	if err := l.keep(x); err != nil { // before y replaces it
		return err
	}
	if err := l.compute(function.Forward, y, x[:len(y)]); err != nil {
		return err
	}
	l.knows, l.n = knowsSlice, len(x)
	return nil
}

// keep copies x to kept.
func (l *Layer) keep(x []float32) error {
	if !l.host {
		copy(l.kept, x)
		return nil
	}
	l.operands = append(l.operands[:0], l.kept, x)
	defer clear(l.operands)
	return l.b.(streamer).StreamForm(function.Copy, Activation{}, nil, l.operands...)
}

// compute computes a form on slices, its operands; a mask is in l.words. One of a backend of this
// module allocates nothing.
func (l *Layer) compute(fm function.Form, operands ...[]float32) error {
	if b, ok := l.b.(streamer); ok {
		l.operands = append(l.operands[:0], operands...)
		defer clear(l.operands)
		return b.StreamForm(fm, l.f, l.words, l.operands...)
	}
	if err := l.f.Validate(); err != nil {
		return fmt.Errorf("compute: %v: %w", l.f, err)
	}
	fn := function.Of(int(l.f.Kind))
	p := fn.Program(fm)
	params := len(fn.Params())
	inputs := p.Args()[:len(p.Args())-params]
	var args []Arg
	for _, operand := range append(p.Results(), inputs...) {
		if operand.Type == expr.Bool {
			args = append(args, Words(l.words))
			continue
		}
		args, operands = append(args, Slice(operands[0])), operands[1:]
	}
	for i := range params {
		args = append(args, F32(l.f.Params[i]))
	}
	return l.b.RunSlices(context.Background(), p, args...)
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
	switch {
	case l.knows&knowsSlice != 0:
		return l.compute(function.Derivative, d, l.kept)
	case l.knows&knowsWords != 0:
		for i := range d {
			d[i] = 1 // for dy = 1 the gradient is the derivative
		}
		return l.compute(function.BackwardMask, d, d)
	}
	if err := reserve(l, &l.work, l.n, Backend.Alloc); err != nil {
		return err
	}
	if err := l.derivativeTo(l.work); err != nil {
		return err
	}
	return l.work.Read(d)
}

// BackwardInto is like Backward, and sets dx, which has the length of dy (ErrLength) and is dy,
// or shares no memory with it (ErrOverlap).
func (l *Layer) BackwardInto(dx, dy []float32) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.hasInput("backward", "dy", len(dy)); err != nil {
		return err
	}
	if err := l.lengths("backward", "dx", len(dx), "dy", len(dy)); err != nil {
		return err
	}
	switch {
	case l.knows&knowsSlice != 0:
		return l.compute(function.Backward, dx, dy, l.kept)
	case l.knows&knowsWords != 0:
		return l.compute(function.BackwardMask, dx, dy)
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
	l.knows, l.n = knowsBuffer, n
	return nil
}

// DerivativeBuffer sets d[i] = f'(x[i]) on the device, for the last input x. d has the
// length of x. Errors: ErrNoInput, and those of Backend.Upload and Backend.Derivative.
func (l *Layer) DerivativeBuffer(d Buffer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.hasInput("derivative", "", 0); err != nil {
		return err
	}
	return l.derivativeTo(d)
}

// BackwardBuffer sets dx[i] = dy[i]*f'(x[i]) on the device, for the last input x. dx and dy
// have the length of x; dx may be dy. Errors: ErrNoInput, and those of Backend.Upload and
// Backend.Backward.
func (l *Layer) BackwardBuffer(dx, dy Buffer) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.hasInput("backward", "", 0); err != nil {
		return err
	}
	return l.backwardTo(dx, dy)
}

// upload copies the last input to the device, or its bits, unless something of it is there.
func (l *Layer) upload() error {
	if l.knows == knowsWords {
		return l.uploadBits()
	}
	if l.knows != knowsSlice {
		return nil
	}
	if err := reserve(l, &l.x, l.n, Backend.Alloc); err != nil {
		return err
	}
	if err := l.x.Write(l.kept); err != nil {
		return err
	}
	l.knows |= knowsBuffer
	return nil
}

// The programs that make numbers of bits, and bits of these.
var (
	numbered = expr.MustParse("func numbered(m bool) (x float32) { return where(m, 1, 0) }")
	marked   = expr.MustParse("func marked(x float32) (m bool) { return x > 0 }")
)

// uploadBits sets a mask of the device to the words.
func (l *Layer) uploadBits() error {
	numbers := make([]float32, l.n)
	if err := l.b.RunSlices(context.Background(), numbered, Slice(numbers), Words(l.words)); err != nil {
		return err
	}
	if err := reserve(l, &l.x, l.n, Backend.Alloc); err != nil {
		return err
	}
	if err := reserve(l, &l.bits, l.n, Backend.AllocMask); err != nil {
		return err
	}
	if err := l.x.Write(numbers); err != nil {
		return err
	}
	if err := l.b.Run(marked, l.bits, l.x); err != nil {
		return err
	}
	l.knows |= knowsBits
	return nil
}

func (l *Layer) derivativeTo(d Buffer) error {
	if err := l.upload(); err != nil {
		return err
	}
	if l.knows&knowsBuffer != 0 {
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
	if err := l.upload(); err != nil {
		return err
	}
	if l.knows&knowsBuffer != 0 {
		return l.b.Backward(l.f, dx, dy, l.x)
	}
	return l.b.BackwardMask(l.f, dx, dy, l.bits)
}

// Inputs returns the last input. Errors: ErrNoInput; ErrBitsOnly, after ForwardBuffer of a
// function with a bit, or Forward with KeepBits; and those of Buffer.Read.
func (l *Layer) Inputs() ([]float32, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.knows != knowsNothing && l.knows&(knowsSlice|knowsBuffer) == 0 {
		return nil, fmt.Errorf("compute: inputs of %v: after ForwardBuffer, or Forward with KeepBits, the layer has only a bit of each element; keep the input, or use Forward without KeepBits: %w", l.f, ErrBitsOnly)
	}
	if err := l.hasInput("inputs", "", 0); err != nil {
		return nil, err
	}
	if l.knows&knowsSlice != 0 {
		return append([]float32{}, l.kept...), nil
	}
	return results(l.n, l.x.Read)
}

// Release releases the memory that the layer holds, and forgets the last input. The layer
// can be used again. Errors: ErrDevice.
func (l *Layer) Release() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.knows, l.n, l.kept, l.words = knowsNothing, 0, nil, nil
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
