//go:build opencl && cgo

package opencl

// #include "loader.h"
import "C"

import (
	"unsafe"

	"github.com/jgillich/go-opencl/cl"
)

// The calls that the binding lacks. They take the handle that is the first field of each
// of its structs; TestHandles compares their layout.

// flush is clFlush. The binding's own CommandQueue.Flush calls clFinish.
func flush(q *cl.CommandQueue) error {
	return code(C.clFlush(*(*C.cl_command_queue)(unsafe.Pointer(q))))
}

// isComplete reports whether the command of e is done. A command that failed is an error.
func isComplete(e *cl.Event) (bool, error) {
	var status C.cl_int
	c := C.clGetEventInfo(*(*C.cl_event)(unsafe.Pointer(e)), C.CL_EVENT_COMMAND_EXECUTION_STATUS,
		C.size_t(unsafe.Sizeof(status)), unsafe.Pointer(&status), nil)
	if c == C.CL_SUCCESS {
		c = min(status, C.CL_SUCCESS)
	}
	return status == C.CL_COMPLETE, code(c)
}

// deviceInfo fills value, of fixed size, with what clGetDeviceInfo answers for the
// parameter, and reports whether it did.
func deviceInfo(d *cl.Device, parameter uint32, value []byte) bool {
	var size C.size_t
	c := C.clGetDeviceInfo(*(*C.cl_device_id)(unsafe.Pointer(d)), C.cl_device_info(parameter),
		C.size_t(len(value)), unsafe.Pointer(&value[0]), &size)
	return c == C.CL_SUCCESS && int(size) == len(value)
}

// code returns the error for a code of OpenCL.
func code(c C.cl_int) error {
	if c == C.CL_SUCCESS {
		return nil
	}
	return cl.ErrOther(c)
}
