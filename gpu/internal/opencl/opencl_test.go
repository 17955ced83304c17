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
	if _, err := Open(devices[0], "kernel void broken( {"); err == nil || !strings.Contains(err.Error(), "clBuildProgram: the program does not build: ") {
		t.Errorf("a source that is none: %v", err)
	}
	unusable := *devices[0]
	unusable.Usable = errors.New("no compiler")
	if _, err := Open(&unusable, source); !errors.Is(err, unusable.Usable) {
		t.Errorf("a device that cannot be used: %v", err)
	}
}

// TestLateFailure: a kernel that fails after its launch is told of by whatever
// waits next.
func TestLateFailure(t *testing.T) {
	for name, wait := range map[string]func(*Context, *Mem) error{
		"Finish": func(c *Context, _ *Mem) error { return c.Finish() },
		"Read":   func(c *Context, m *Mem) error { return c.Read(m, make([]float32, 1)) },
		"Write":  func(c *Context, m *Mem) error { return c.Write(m, make([]float32, 1)) },
		"Close":  func(c *Context, _ *Mem) error { return c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			c := openFirst(t)
			k, err := c.Kernel("copy", 3)
			if err != nil {
				t.Fatal(err)
			}
			m, err := c.Alloc(4)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Release()
			if err := c.Launch(k, 2, 2, m, m, uint64(1)); err != nil {
				t.Fatal(err)
			}
			if err := c.Finish(); err != nil {
				t.Fatal(err)
			}
			gate, err := c.context.CreateUserEvent()
			if err != nil {
				t.Fatal(err)
			}
			defer gate.Release()
			err = c.keep(c.queue.EnqueueNDRangeKernel(k.kernel, nil, []int{2}, []int{2}, []*cl.Event{gate}))
			if err != nil {
				t.Fatal(err)
			}
			if err := gate.SetUserEventStatus(-5); err != nil { // which ends the kernel
				t.Fatal(err)
			}
			if err := wait(c, m); !errors.Is(err, compute.ErrDevice) {
				t.Errorf("got %v, want one that wraps ErrDevice", err)
			}
			if err := c.Finish(); err != nil {
				t.Errorf("told of twice: %v", err)
			}
		})
	}
}

// TestManyLaunches: events do not pile up.
func TestManyLaunches(t *testing.T) {
	c := openFirst(t)
	k, err := c.Kernel("copy", 3)
	if err != nil {
		t.Fatal(err)
	}
	m, err := c.Alloc(4)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Release()
	for range 4 * maxPending {
		if err := c.Launch(k, 2, 2, m, m, uint64(1)); err != nil {
			t.Fatal(err)
		}
		if len(c.pending) > maxPending {
			t.Fatalf("%d events are kept", len(c.pending))
		}
	}
	if err := c.Finish(); err != nil || len(c.pending) != 0 {
		t.Errorf("%v, with %d events left", err, len(c.pending))
	}
}
