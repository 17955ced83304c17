//go:build opencl && cgo

package opencl

import (
	"errors"
	"strings"
	"testing"

	"github.com/jgillich/go-opencl/cl"

	"github.com/gmind-go/compute"
)

func TestErrors(t *testing.T) {
	for _, test := range []struct {
		cause error
		text  string
		kind  error
	}{
		{cl.ErrOutOfResources, "clFinish: CL_OUT_OF_RESOURCES", compute.ErrOutOfMemory},
		{cl.ErrMemObjectAllocationFailure, "clFinish: CL_MEM_OBJECT_ALLOCATION_FAILURE", compute.ErrOutOfMemory},
		{cl.ErrOutOfHostMemory, "clFinish: CL_OUT_OF_HOST_MEMORY", compute.ErrOutOfMemory},
		{cl.ErrInvalidBufferSize, "clFinish: CL_INVALID_BUFFER_SIZE", compute.ErrOutOfMemory},
		{cl.ErrInvalidKernelArgs, "clFinish: CL_INVALID_KERNEL_ARGS", compute.ErrDevice},
		{cl.ErrOther(-1001), "clFinish: CL_PLATFORM_NOT_FOUND_KHR (-1001)", compute.ErrDevice},
		{cl.ErrOther(-12345), "clFinish: error -12345", compute.ErrDevice},
		{cl.ErrUnknown, "clFinish: cl: unknown error", compute.ErrDevice},
		{cl.BuildError("line 1: no\n\x00"), "clFinish: the program does not build: line 1: no", compute.ErrDevice},
	} {
		err := call("clFinish", func() error { return test.cause })
		if err == nil || err.Error() != test.text || !errors.Is(err, test.kind) {
			t.Errorf("%v becomes %q, want %q that wraps %q", test.cause, err, test.text, test.kind)
		}
	}
	if err := call(listPlatforms, func() error { return cl.ErrOther(-1001) }); !errors.Is(err, compute.ErrUnavailable) || !IsNoDriver(err) {
		t.Errorf("no driver becomes %v", err)
	}
	if err := call("clFinish", func() error { return nil }); err != nil {
		t.Errorf("no error becomes %v", err)
	}
	err := call("clGetDeviceInfo", func() error { panic("Platform.Name() should never fail") })
	if !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), "should never fail") {
		t.Errorf("a panic becomes %v", err)
	}
}
