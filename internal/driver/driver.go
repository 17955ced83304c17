// Package driver splits a backend into two, as database/sql does: a front, the type
// Backend, which users hold as a compute.Backend, and a Device, which computes. The front
// does what is the same on every device: it checks arguments, locks the operands of each
// call, counts live buffers, waits for calls when it is closed, and formats errors. A Device
// does the rest, and trusts its arguments.
package driver

import (
	"context"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/linear"
)

// A Device allocates memory and runs kernels on it.
//
// The front calls its methods from several goroutines, but never two at once with the
// same Memory. No slice is empty, no length is 0, and lengths match. Kernels may still
// run when Launch returns; a fault then shows in a later call. Errors name neither the
// operation nor the device, and wrap compute.ErrOutOfMemory or compute.ErrDevice where
// these apply.
type Device interface {
	// Info describes the device. The front counts the live buffers.
	Info() compute.Info
	// Alloc returns memory for n elements, or for a mask of n bits, with unspecified
	// contents.
	Alloc(n int, mask bool) (Memory, error)
	// Free takes the memory back when the kernels that use it are done.
	Free(m Memory) error
	// View returns the n elements of m from the index on, as memory that shares that of m, which
	// is no view. Free of a view frees what belongs to the view alone. It is freed before m.
	View(m Memory, from, n int) (Memory, error)
	// Write copies src into m, which has as many elements.
	Write(m Memory, src []float32) error
	// Read copies m into dst, which has as many elements, after the kernels that write it.
	Read(m Memory, dst []float32) error
	// ReadMask copies the bits of m into dst, which has form.MaskWords words. Bits after
	// the last are unspecified.
	ReadMask(m Memory, dst []uint64) error
	// Compile returns code that computes k, which has no function. The front calls it without
	// locks, and once for equal kernels, unless so many others were compiled since that it has
	// forgotten the code. Errors may wrap compute.ErrCompile and compute.ErrMiscompiled.
	Compile(k *kernel.Kernel) (Code, error)
	// Launch runs a call. It retains neither c nor what c points to, but the Code.
	Launch(c *Call) error
	// MatMul multiplies matrices.
	MatMul(c *MatMulCall) error
	// CompileReduce is Compile, for Reduce. The one result of k is an Element.
	CompileReduce(k *kernel.Kernel, r compute.Reduction) (Code, error)
	// Reduce runs a call of code of CompileReduce. It retains what Launch does.
	Reduce(c *ReduceCall) error
	// Gather sets row i of the n of dst, of width elements, to the row of src with the index i of
	// index, or to NaN. src has rows of them, at least one.
	Gather(dst, src, index Memory, width, rows, n int) error
	// Stream runs a call on operands in the memory of the host. When ctx ends it stops early
	// and returns Ended(ctx). It retains nothing.
	Stream(ctx context.Context, c *HostCall) error
	// Sync waits for all kernels.
	Sync() error
	// Close waits for all kernels and releases everything. All memory was freed, and no
	// other call is made meanwhile or later, but Info and the end of Profile.
	Close() error
}

// A Device may have these methods too.
type (
	// A Trimmer keeps memory for later calls, which Trim frees.
	Trimmer interface{ Trim() error }
	// A Profiler can time kernels: see form.Profiler.
	Profiler interface {
		Profile(work func() error) (ns []float64, err error)
	}
	// A Peaker can measure what it computes: see form.Peaker.
	Peaker interface {
		Peak() (flop float64, err error)
	}
	// A Survivor can compute Stream after a fault. Usable returns why it can do nothing
	// else, or nil. The front remembers the first fault of any other device, and then
	// calls only Free and Close.
	Survivor interface{ Usable() error }
)

// Memory is a device's own: what it needs to find the elements of a buffer, or the bits of
// a mask. Nil means no memory.
type Memory any

// Code is a device's own: what Compile returns. There is nothing to release: a Device releases
// all code when it is closed.
type Code any

// A CallOn is one launch of a kernel on operands in some memory. Element i of the call, with
// 0 <= i < N, finds its value of an operand by the Address: at i of an Element or a Bit, at
// (Index+i) modulo Len of a Row, at (Index+i)/Period of a Col. Random numbers are those of
// the index Index+i.
//
// A result may be the same memory as any inputs that are an Element or a Bit, and overlaps no
// other.
type CallOn[M any] struct {
	Kernel   *kernel.Kernel
	Code     Code // of Kernel
	N        int  // elements, at least one
	Index    uint64
	Total    int                 // elements of the whole of which the call is a part
	Operands []kernel.Operand[M] // results, then inputs, as the kernel has them
	Params   []uint32            // bits of a float32, a uint32, or 0 and 1
}

// A Call has operands on the device, and a HostCall in the memory of the host.
type (
	Call     = CallOn[Memory]
	HostCall = CallOn[Host]
)

// A MatMulCall is a call of compute.Linear's MatMul. No extent is 0. C overlaps neither A nor B.
type MatMulCall struct {
	linear.Product
	C, A, B Memory
	// Then, if it is not nil, is run for C, or for each part of it that is complete. C is its
	// first result, and the memory of the inputs that are the product.
	Then *Call
}

// A ReduceCall is a call of compute.Backend's Reduce, with at least one element. Operand 0 is the
// result: it has Len elements, and no other operand overlaps it.
type ReduceCall struct {
	Call
	Reduction compute.Reduction
	Along     compute.Axis
}

// A Host is a buffer or a mask in the memory of the host. One of them is nil.
type Host struct {
	Floats []float32
	Words  []uint64
}
