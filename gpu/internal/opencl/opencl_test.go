//go:build opencl && cgo

package opencl

import (
	"errors"
	"strings"
	"testing"

	"github.com/jgillich/go-opencl/cl"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

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
		{cl.BuildError("line 1: no\n\x00"), "clFinish: CL_BUILD_PROGRAM_FAILURE: line 1: no", compute.ErrDevice},
	} {
		err := call("clFinish", func() error { return test.cause })
		if err == nil || err.Error() != test.text || !errors.Is(err, test.kind) {
			t.Errorf("%v becomes %q, want %q that wraps %q", test.cause, err, test.text, test.kind)
		}
	}
	if err := call("clFinish", func() error { return nil }); err != nil {
		t.Errorf("no error becomes %v", err)
	}
	err := call("clGetDeviceInfo", func() error { panic("Platform.Name() should never fail") })
	if !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), "should never fail") {
		t.Errorf("a panic becomes %v", err)
	}
}

const source = `kernel void copy(global float *dst, global const float *src, const ulong n)
{ if (get_global_id(0) < n) dst[get_global_id(0)] = src[get_global_id(0)]; }`

// openFirst opens the first device there is.
func openFirst(t *testing.T) *Context {
	t.Helper()
	var c *Context
	testenv.Open(t, func() (compute.Backend, error) {
		devices, err := Devices()
		if len(devices) == 0 {
			return nil, errors.Join(err, compute.ErrUnavailable)
		}
		c, err = Open(devices[0], source)
		return closer{c: c}, err
	})
	return c
}

// closer lets testenv close a Context.
type closer struct {
	compute.Backend
	c *Context
}

func (c closer) Close() error { return c.c.Close() }

func TestRoundTrip(t *testing.T) {
	c := openFirst(t)
	k, err := c.Kernel("copy", 3)
	if err != nil {
		t.Fatal(err)
	}
	src, err := c.Alloc(12)
	if err != nil {
		t.Fatal(err)
	}
	dst, err := c.Alloc(12)
	if err != nil {
		t.Fatal(err)
	}
	got := make([]float32, 3)
	for _, err := range []error{
		c.Write(src, []float32{1, -2, 3}),
		c.Write(src, nil), // nothing
		c.Launch(k, 4, 2, dst, src, uint64(3)),
		c.Read(dst, got),
		c.Read(dst, nil),
		c.Finish(),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if got[0] != 1 || got[1] != -2 || got[2] != 3 {
		t.Errorf("copied %v", got)
	}
	for range 2 {
		src.Release()
		dst.Release()
	}
	for what, err := range map[string]error{
		"Launch": c.Launch(k, 4, 2, dst, src, uint64(3)),
		"Write":  c.Write(src, []float32{1}),
		"Read":   c.Read(src, got),
	} {
		if !errors.Is(err, compute.ErrClosed) {
			t.Errorf("%s of released memory: %v", what, err)
		}
	}
}

func TestRefusals(t *testing.T) {
	c := openFirst(t)
	if _, err := c.Kernel("missing", 3); err == nil || !strings.Contains(err.Error(), "kernel missing: clCreateKernel: CL_INVALID_KERNEL_NAME") {
		t.Errorf("a kernel that is not there: %v", err)
	}
	if _, err := c.Kernel("copy", 4); err == nil || !strings.Contains(err.Error(), "takes 3 arguments, not 4") {
		t.Errorf("a kernel with other arguments: %v", err)
	}
	k, err := c.Kernel("copy", 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Launch(k, 1, 1, "text"); !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), "argument 0") {
		t.Errorf("an argument of no known type: %v", err)
	}
	devices, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(devices[0], "kernel void broken( {"); err == nil || !strings.Contains(err.Error(), "clBuildProgram: CL_BUILD_PROGRAM_FAILURE: ") {
		t.Errorf("a source that is none: %v", err)
	}
	unusable := *devices[0]
	unusable.Usable = errors.New("no compiler")
	if _, err := Open(&unusable, source); !errors.Is(err, unusable.Usable) {
		t.Errorf("a device that cannot be used: %v", err)
	}
}
