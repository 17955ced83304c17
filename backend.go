// Package compute runs neural-network kernels on float32 buffers: on a GPU through OpenCL if
// there is one, and otherwise on the CPU, with the same code and the same bits.
//
//	b, err := compute.Open(gpu.Open, cpu.Open) // the first that can be opened
//	x, err := b.Upload(values)                 // a copy in the device's memory
//	y, err := b.Alloc(x.Len())
//	err = b.Forward(compute.LeakyReLU(0.01), y, x)
//	err = y.Read(result)
//
// # Semantics
//
// With s the slope of compute.LeakyReLU(s), for every element:
//
//	            x >= 0 (+0, -0, +Inf too)   otherwise (x < 0, NaN)
//	forward     x                           s*x
//	derivative  1                           s
//	backward    dy                          s*dy
//
// The product is one float32 multiplication, rounded to nearest even. Value, Derivative and
// Backward of an Activation compute one element, and are the reference of every function. Every
// backend returns the same bits for every input; only the sign and the payload of a NaN
// are unspecified. Subnormal values are kept, unless Info.FlushesSubnormals reports that the
// device cannot.
//
// # Programs
//
// Run computes any function of one element, in one pass. Package expr makes it of text, and
// its derivatives too:
//
//	prelu := expr.MustParse("prelu(x, slope) = where(x > 0, x, slope*x)")
//	err = b.Run(prelu, y, x, compute.Row(slope))
//	err = b.Run(prelu.Backward("x"), dx, dy, x, compute.Row(slope))
//
// The results have the bits of Program.Eval, the reference, on every backend: NaN and
// subnormal values as above.
//
// # Sums and products
//
// Reduce adds what a program computes, over everything, over rows or over columns; a Linear
// backend, as those of this module are, multiplies matrices. Their results have fixed bits too:
// the order of all additions is defined, and is the same on every backend.
//
//	l, ok := compute.As[compute.Linear](b) // b itself may be a wrapper
//	err = l.MatMul(y, x, batch, in, w, out)
//	err = b.Reduce(db, compute.Sum, compute.Cols(out), nil, dy) // the gradient of biases
//
// Package train has losses, optimizers and random weights, and docs/networks.md a whole step of
// training.
//
// # Buffers and calls
//
// The buffers of one call belong to the backend that is called (ErrForeignBuffer). Those of a
// call that computes each element by itself have the same length (ErrLength), except those in
// Row and Col, and a result may overwrite an operand: y and x, dx and dy, dx and x, d and x may
// be the same buffer. Gather, Reduce and MatMul say which lengths they need; their result
// shares no memory with their operands. A call without elements checks its arguments and does
// nothing, but for Reduce and MatMul, which set their result to what nothing makes. Buffer.View
// makes a buffer of a part of another; two views of one buffer overlap as two slices of one
// array do.
//
// Calls on one backend take effect in the order of the calls. A kernel may still run
// when its call returns; Buffer.Read, Buffer.Write and Backend.Sync wait for
// it, and return a fault of the device that no earlier call has returned. All
// methods may be called from several goroutines at once.
//
// The garbage collector frees no buffer: Release it, or Close the backend, which releases
// all that are left. Info counts the live ones.
package compute

import (
	"context"
	"errors"
	"fmt"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/check"
)

// The errors of this module. They come wrapped in a text that names the
// operation, the device, the sizes and the remedy: compare with errors.Is.
var (
	// ErrUnavailable: there is nothing to open. Open goes on to the next.
	ErrUnavailable = errors.New("backend unavailable")
	// ErrClosed: the backend was closed or the buffer released.
	ErrClosed = errors.New("closed")
	// ErrLength: lengths differ or do not fit together, a length is negative, or a part is not
	// inside of its buffer.
	ErrLength = errors.New("wrong length")
	// ErrOverlap: two slices, or views of one buffer, share a part of their memory, where they
	// may be the same or share nothing; or two results are to go into one buffer.
	ErrOverlap = errors.New("overlap")
	// ErrForeignBuffer: a buffer or mask is nil, or was not made by this backend.
	ErrForeignBuffer = errors.New("foreign buffer")
	// ErrSlope: a negative slope is NaN or infinite.
	ErrSlope = errors.New("slope not finite")
	// ErrActivation: an Activation or an Op is not one of this module, or an Activation cannot
	// have its parameters.
	ErrActivation = errors.New("invalid function")
	// ErrNoInput: a Layer was asked about an input before there was one.
	ErrNoInput = errors.New("no input remembered")
	// ErrOutOfMemory: the memory of the device, or of the host, does not suffice.
	// The backend stays usable.
	ErrOutOfMemory = errors.New("out of memory")
	// ErrArgument: a call has more or fewer arguments than the program, or one that is not of
	// the type that the program has there; or an Axis, a Reduction, an extent or an option of
	// MatMul is none.
	ErrArgument = errors.New("wrong argument")
	// ErrCompile: the device cannot compile a program. The text has its reasons. The backend
	// stays usable.
	ErrCompile = errors.New("cannot be compiled")
	// ErrMiscompiled: the device computes a program wrong: the text has an input, what it
	// should give, and what it gives. The backend stays usable.
	ErrMiscompiled = errors.New("miscompiled")
	// ErrDevice: the device failed. The backend can only be closed.
	ErrDevice = errors.New("device fault")
)

// A Backend computes on the memory of one device. cpu.Open and gpu.Open make one, and
// shard.New makes one of several; see the package comment for the rules that all calls
// share. Methods may be added: embed a Backend in a type that must keep implementing it. As finds
// what such a type wraps.
type Backend interface {
	// Info describes the device and counts what is held on it. It works on a
	// closed backend too.
	Info() Info

	// Upload returns a new buffer that holds a copy of src.
	// Errors: ErrClosed, ErrOutOfMemory, ErrDevice.
	Upload(src []float32) (Buffer, error)

	// Alloc returns a new buffer of n elements with unspecified contents.
	// Errors: ErrLength (n < 0), ErrClosed, ErrOutOfMemory, ErrDevice.
	Alloc(n int) (Buffer, error)

	// Forward sets y[i] = f(x[i]).
	// Errors: ErrLength, ErrForeignBuffer, ErrSlope, ErrActivation, ErrClosed,
	// ErrOutOfMemory, ErrDevice.
	Forward(f Activation, y, x Buffer) error

	// Derivative sets d[i] = f'(x[i]). Errors as for Forward.
	Derivative(f Activation, d, x Buffer) error

	// Backward sets dx[i] = dy[i] * f'(x[i]): the gradient of a loss with respect to the
	// input, dx, from the gradient with respect to the output, dy, and the input of
	// Forward, x. Errors as for Forward.
	Backward(f Activation, dx, dy, x Buffer) error

	// ForwardDerivative sets y[i] = f(x[i]) and d[i] = f'(x[i]) in one pass: it moves
	// 12 bytes per element, where the two calls move 16. One of y and d may be x;
	// y and d are not the same buffer (ErrOverlap). Errors as for Forward, and
	// ErrOverlap.
	ForwardDerivative(f Activation, y, d, x Buffer) error

	// AllocMask returns a new mask of n bits with unspecified contents. Errors as for
	// Alloc.
	AllocMask(n int) (Mask, error)

	// ForwardMask sets y[i] = f(x[i]), and bit i of m to f.Bit(x[i]), which is whether
	// x[i] >= 0 for LeakyReLU. It is all that BackwardMask needs of x; so y may replace x.
	// Errors as for Forward; ErrActivation also unless f.HasBit.
	ForwardMask(f Activation, y Buffer, m Mask, x Buffer) error

	// BackwardMask sets dx[i] to the gradient for dy[i] and bit i of m, which ForwardMask has
	// set for f: the same bits as Backward with the x of ForwardMask. Errors as for
	// ForwardMask.
	BackwardMask(f Activation, dx, dy Buffer, m Mask) error

	// Run computes p for every element, in one pass. args are the results of p, then its
	// arguments, in their order: see Arg.
	//
	// All buffers and masks have the same length, except those in Row and Col, whose lengths
	// divide it. A result may be the same buffer or mask as an argument, since element i of a
	// result needs only element i of what it overwrites; but not as another result, or as
	// one in Row or Col.
	//
	// The first call of a program with scalars, rows and columns in these places compiles it,
	// which on OpenCL takes some 0.1 s; later ones do not, nor do calls of an equal program.
	//
	// Errors: ErrArgument for a number or a type of arguments that p does not have,
	// ErrLength, ErrOverlap, ErrForeignBuffer, ErrClosed, ErrCompile, ErrMiscompiled,
	// ErrOutOfMemory, ErrDevice, and that of p.Err.
	Run(p *expr.Program, args ...Arg) error

	// Prepare checks a call of Run and compiles p, so that the Run of the result does neither.
	// Errors as for Run.
	Prepare(p *expr.Program, args ...Arg) (Call, error)

	// RunSlices computes p as Run does, from host memory to host memory, for any length, also
	// beyond the memory of the device. args are of the types Slice, Words, F32, U32 and Bool,
	// or Row and Col of a Slice. The memory of a result may be that of an argument, from the
	// same element on, and overlaps nothing else. It returns when the results are complete.
	// When ctx ends, or its deadline passes, it stops as Stream does. Errors: those of Run,
	// ctx.Err(), and one for a nil ctx.
	RunSlices(ctx context.Context, p *expr.Program, args ...Arg) error

	// Stream computes op from host memory to host memory: dst[i] from src[i],
	// for any length, also beyond the memory of the device. dst and src have the
	// same length and are the same slice or share no memory. It returns when dst
	// is complete. When ctx ends, or its deadline passes, it stops between two parts,
	// and its error wraps ctx.Err() or context.DeadlineExceeded. After an error dst may be
	// partly written, but nothing writes to it any more.
	// Errors: those of Forward, ErrOverlap, ctx.Err(), and one for a nil ctx.
	Stream(ctx context.Context, op Op, f Activation, dst, src []float32) error

	// Copy sets dst to src, of the same length. They are the same elements or share none
	// (ErrOverlap). Errors: ErrLength, ErrOverlap, ErrForeignBuffer, ErrClosed, ErrOutOfMemory,
	// ErrDevice.
	Copy(dst, src Buffer) error

	// Fill sets all elements of dst to v. Errors: ErrForeignBuffer, ErrClosed, ErrOutOfMemory,
	// ErrDevice.
	Fill(dst Buffer, v float32) error

	// Gather sets row i of dst to the row of src that index[i] names, such as a minibatch of a
	// data set that stays on the device. A row has dst.Len()/index.Len() elements, which both
	// divide: dst by index, and src by that. Where an index is not the number of a row of src,
	// which a float32 holds exactly up to 1<<24, the row of dst is NaN. dst shares no memory with
	// the others. Errors: ErrLength, and those of Copy.
	Gather(dst, src, index Buffer) error

	// Reduce computes p for every element, as Run does, and in the same pass the sum, maximum,
	// minimum or mean of its values, along an axis: see Axis and Reduction. out has an element
	// for each of these. args are the arguments of p, which has one result, a float32; a nil p
	// is the value of its one argument. At least one of args is a Buffer or a Mask. out shares
	// no memory with them.
	//
	// Errors: those of Run.
	Reduce(out Buffer, r Reduction, along Axis, p *expr.Program, args ...Arg) error

	// Sync waits until the device has completed all earlier calls. Errors: ErrClosed,
	// ErrDevice.
	Sync() error

	// Close waits for calls in progress, a Stream to its end, and for the device. It
	// releases everything, including live buffers. Afterwards every call returns ErrClosed,
	// except Close, Release and Info. Errors: ErrDevice.
	Close() error
}

// A Buffer is a fixed number of float32 values in the memory of a device.
type Buffer interface {
	// Len returns the number of elements, also after Release.
	Len() int

	// Write copies src, of the length of the buffer, into it. src may be
	// changed when Write returns.
	// Errors: ErrLength, ErrClosed, ErrOutOfMemory, ErrDevice.
	Write(src []float32) error

	// Read waits for the kernels of earlier calls and copies the buffer into dst, which
	// has its length. Errors as for Write.
	Read(dst []float32) error

	// WriteAt copies src into the elements from the index on. Errors as for Write; ErrLength
	// also if there are not as many elements.
	WriteAt(src []float32, from int) error

	// ReadAt copies the elements from the index on into dst. Errors as for Read; ErrLength also
	// if there are not as many elements.
	ReadAt(dst []float32, from int) error

	// View returns the elements with the indices from <= i < to as a buffer that shares their
	// memory. The memory is freed when the buffer and all its views are released; each of them
	// counts in Info().LiveBuffers, and the whole memory once in LiveBytes. Calls on buffers that
	// share memory take effect in the order of the calls. Errors: ErrLength, ErrClosed.
	View(from, to int) (Buffer, error)

	// Release frees the memory when the kernels that use it are done, and all views of it are
	// released. Later calls do nothing and return nil. Errors: ErrDevice.
	Release() error
}

// A Mask is a fixed number of bits in the memory of a device, one for each element
// of a buffer. It takes 1/32 of the memory of the buffer.
type Mask interface {
	// Len returns the number of bits, also after Release.
	Len() int

	// Read waits for the kernels of earlier calls and copies the mask into dst, of
	// (Len()+63)/64 words: bit i is dst[i/64]>>(i%64)&1, and the bits after the last
	// are 0. Errors: ErrLength, ErrClosed, ErrOutOfMemory, ErrDevice.
	Read(dst []uint64) error

	// Release frees the memory when the kernels that use it are done. Later calls do
	// nothing and return nil. Errors: ErrDevice.
	Release() error
}

// An Op names an operation of one operand, for Backend.Stream.
type Op int

// The operations of Backend.Stream.
const (
	OpForward    Op = iota // y = f(x)
	OpDerivative           // d = f'(x)
)

// String returns "forward" or "derivative".
func (op Op) String() string {
	switch op {
	case OpForward:
		return "forward"
	case OpDerivative:
		return "derivative"
	}
	return fmt.Sprintf("Op(%d)", int(op))
}

// Validate returns an error that wraps ErrActivation unless op is OpForward or
// OpDerivative.
func (op Op) Validate() error {
	if op != OpForward && op != OpDerivative {
		return fmt.Errorf("%v is not an operation; give OpForward or OpDerivative: %w", op, ErrActivation)
	}
	return nil
}

// Info describes the device behind a backend. A field that is not known is zero.
type Info struct {
	Name     string // backend and device, such as "cpu generic" or "opencl NVIDIA H200"
	Backend  string // "cpu", "opencl" or "shard"
	Kind     string // of device: "cpu", "gpu", "accelerator" or "other"
	Vendor   string // of the device
	Platform string // the OpenCL platform, which is one vendor's implementation
	Driver   string // version of the driver; on the CPU, the version of Go

	Memory            int64 // of the device, in bytes; on the CPU, what this process can have
	MaxAlloc          int64 // largest single buffer, in bytes
	SharedMemory      bool  // the device works in the memory of the host
	FlushesSubnormals bool  // the device may replace subnormal operands and results by zero

	LiveBuffers int   // buffers and masks not yet released
	LiveBytes   int64 // their size
	PooledBytes int64 // memory kept for later buffers, in bytes

	// Skipped has the reasons why the openers and the devices before this one were not
	// used, as a joined error. It is nil if this was the first.
	Skipped error
}

// An Opener opens one kind of backend. If there is nothing to open, its error has the reason
// and wraps ErrUnavailable.
type Opener func() (Backend, error)

// Open returns the backend of the first opener that succeeds, as in
//
//	compute.Open(gpu.Open, cpu.Open)
//
// It tries the next opener only after an error that wraps ErrUnavailable, and returns any
// other error. If openers were passed over, the backend is wrapped, so that its
// Info().Skipped reports why; As finds its own type.
// If none succeeds, the error wraps ErrUnavailable and the reason of each.
func Open(openers ...Opener) (Backend, error) {
	var skipped []error
	for i, open := range openers {
		if open == nil {
			return nil, fmt.Errorf("compute: open: opener %d is nil", i+1)
		}
		b, err := open()
		switch {
		case err == nil && check.IsNil(b):
			return nil, fmt.Errorf("compute: open: opener %d returned neither a backend nor an error", i+1)
		case err == nil && len(skipped) == 0:
			return b, nil
		case err == nil:
			return &fallback{b, errors.Join(skipped...)}, nil
		case !errors.Is(err, ErrUnavailable):
			if len(skipped) > 0 {
				return nil, fmt.Errorf("%w (passed over before: %v)", err, errors.Join(skipped...))
			}
			return nil, err
		}
		skipped = append(skipped, err)
	}
	if len(openers) == 0 {
		return nil, fmt.Errorf("compute: open: no opener given; try compute.Open(gpu.Open, cpu.Open): %w", ErrUnavailable)
	}
	return nil, fmt.Errorf("compute: open: none of %d backends can be opened: %w", len(openers), errors.Join(skipped...))
}

// Trim returns the memory that b keeps for later buffers, Info's PooledBytes, to the
// system. It does nothing for a backend that keeps none, and for nil.
func Trim(b Backend) {
	if t, ok := As[interface{ Trim() }](b); ok {
		t.Trim()
	}
}

// fallback is a backend that was not the first choice.
type fallback struct {
	Backend
	skipped error
}

// Info adds the reasons of Open to those of the backend itself.
func (b *fallback) Info() Info {
	info := b.Backend.Info()
	info.Skipped = errors.Join(b.skipped, info.Skipped)
	return info
}

// Unwrap is for As.
func (b *fallback) Unwrap() Backend { return b.Backend }
