//go:build opencl && cgo

package opencl

import (
	"errors"
	"fmt"
	"runtime"
	"strings"

	"github.com/jgillich/go-opencl/cl"

	"github.com/gmind-go/compute"
)

// An Error is a failed OpenCL call.
type Error struct {
	Call   string // such as "clEnqueueNDRangeKernel"
	Reason string // the name of the code, such as "CL_OUT_OF_RESOURCES", or what else is known
	kind   error  // the error of package compute that it is
	cause  error  // what the binding returned; nil for a panic
}

func (e *Error) Error() string { return e.Call + ": " + e.Reason }

// Unwrap makes errors.Is find compute.ErrUnavailable, compute.ErrOutOfMemory or
// compute.ErrDevice.
func (e *Error) Unwrap() error { return e.kind }

// IsNoDriver reports whether err means that the loader found no driver that finds a device.
func IsNoDriver(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.cause == cl.ErrOther(platformNotFound)
}

// isNoDevice reports whether err means that a platform has no device.
func isNoDevice(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.cause == cl.ErrDeviceNotFound
}

const platformNotFound = -1001 // CL_PLATFORM_NOT_FOUND_KHR, of the loader

// Codes that the binding has no name for, or that do not come through it.
var codeNames = map[cl.ErrOther]string{
	-5:               "CL_OUT_OF_RESOURCES",
	-6:               "CL_OUT_OF_HOST_MEMORY",
	-36:              "CL_INVALID_COMMAND_QUEUE",
	-58:              "CL_INVALID_EVENT",
	platformNotFound: "CL_PLATFORM_NOT_FOUND_KHR",
	-69:              "CL_INVALID_PIPE_SIZE",
	-70:              "CL_INVALID_DEVICE_QUEUE",
	-71:              "CL_INVALID_SPEC_ID",
	-72:              "CL_MAX_SIZE_RESTRICTION_EXCEEDED",
	-9999:            "illegal access to memory by a kernel (NVIDIA)",
}

// call runs f, which makes the OpenCL call named name through the binding, and
// returns its error, or its panic, as an *Error.
func call(name string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = &Error{Call: name, Reason: fmt.Sprint("panic in the binding: ", r), kind: compute.ErrDevice, cause: panicCause(r)}
		}
	}()
	if cause := f(); cause != nil {
		return &Error{Call: name, Reason: reason(cause), kind: kind(name, cause), cause: cause}
	}
	return nil
}

// reason returns the name that the OpenCL specification has for the error. The
// binding's text for CL_OUT_OF_RESOURCES, say, is "cl: Out Of Resources".
func reason(cause error) string {
	var other cl.ErrOther
	var build cl.BuildError
	var argument cl.ErrUnsupportedArgumentType
	switch {
	case errors.As(cause, &other):
		if name, ok := codeNames[other]; ok {
			return fmt.Sprintf("%s (%d)", name, int(other))
		}
		return fmt.Sprintf("error %d", int(other))
	case errors.As(cause, &build): // for any code; the binding keeps only the log
		return "the program does not build: " + strings.TrimRight(string(build), "\x00 \n")
	case errors.As(cause, &argument), cause == cl.ErrUnknown, cause == cl.ErrUnsupported: // the binding's own
		return cause.Error()
	}
	words, ok := strings.CutPrefix(cause.Error(), "cl: ")
	if !ok {
		return cause.Error()
	}
	return "CL_" + strings.ToUpper(strings.ReplaceAll(words, " ", "_"))
}

// kind returns the error of package compute that an error of the call named name is.
func kind(name string, cause error) error {
	switch cause {
	case cl.ErrMemObjectAllocationFailure, cl.ErrOutOfResources, cl.ErrOutOfHostMemory, cl.ErrInvalidBufferSize:
		return compute.ErrOutOfMemory
	case cl.ErrOther(platformNotFound), cl.ErrDeviceNotFound:
		if name == listPlatforms || name == listDevices {
			return compute.ErrUnavailable
		}
	}
	return compute.ErrDevice
}

// The calls that may find nothing.
const (
	listPlatforms = "clGetPlatformIDs"
	listDevices   = "clGetDeviceIDs"
)

// errPointerCheck is the cause of an Error when Go's check of pointers passed to
// C refused a slice. It does so before the call is made.
var errPointerCheck = errors.New("cgo pointer check")

func panicCause(r any) error {
	if e, ok := r.(runtime.Error); ok && strings.Contains(e.Error(), "Go pointer") {
		return errPointerCheck
	}
	return nil
}

// IsGroupTooLarge reports whether err means that a launch asked for more work-items in a
// work-group than the kernel, or the device in one dimension, takes.
func IsGroupTooLarge(err error) bool {
	var e *Error
	return errors.As(err, &e) && (e.cause == cl.ErrInvalidWorkGroupSize || e.cause == cl.ErrInvalidWorkItemSize)
}

// buildProgram is the call that compiles.
const buildProgram = "clBuildProgram"

// IsBuild reports whether err means that a source does not build: its text has the reasons of
// the compiler.
func IsBuild(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Call == buildProgram
}

// CannotWrap reports whether err means that a slice cannot be memory of the device as it
// is, though a copy of it may: Go refused to hand it to C, or the driver to take it.
func CannotWrap(err error) bool {
	var e *Error
	return isPointerCheck(err) || errors.Is(err, compute.ErrOutOfMemory) || errors.As(err, &e) && e.cause == cl.ErrInvalidHostPtr
}

// isPointerCheck reports whether err means that Go refused to hand a slice to C.
func isPointerCheck(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.cause == errPointerCheck
}
