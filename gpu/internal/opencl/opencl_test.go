//go:build opencl && cgo

package opencl

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"
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

// TestSharesMemory: what a device behind a network says of its memory is not so here.
func TestSharesMemory(t *testing.T) {
	const (
		local  = "OpenCL 3.0 PoCL HSTR: pthread-x86_64-pc-linux-gnu-skylake-avx512"
		remote = local + " HSTR: pocl-remote: pthread-skylake-avx512-AMD EPYC"
	)
	for _, test := range []struct {
		t       Type
		unified bool
		version string
		want    bool
	}{
		{GPU, false, "OpenCL 3.0 CUDA", false},
		{GPU, true, "OpenCL 3.0 NEO", true},
		{CPU, true, local, true},
		{CPU, false, local, true},
		{CPU, true, remote, false},
		{CPU, false, remote, false},
		{GPU, true, remote, false},
	} {
		if got := sharesMemory(test.t, test.unified, test.version); got != test.want {
			t.Errorf("a %s, unified %v, %q: %v, want %v", test.t, test.unified, test.version, got, test.want)
		}
	}
}

func TestSoftware(t *testing.T) {
	for _, test := range []struct {
		bits cl.DeviceType
		name string
		want bool
	}{
		{cl.DeviceTypeGPU, "NVIDIA H200", false},
		{cl.DeviceTypeGPU | cl.DeviceTypeDefault, "gfx1100", false},
		{cl.DeviceTypeGPU, "llvmpipe (LLVM 15.0.6, 256 bits)", true},
		{cl.DeviceTypeGPU | cl.DeviceTypeCPU | cl.DeviceTypeAccelerator | cl.DeviceTypeDefault, "Oclgrind Simulator", true},
		{cl.DeviceTypeGPU, "zink Vulkan 1.3(llvmpipe (LLVM 15.0.6, 256 bits))", true},
		{cl.DeviceTypeAccelerator, "FPGA", false},
		{cl.DeviceTypeAccelerator, "Intel(R) FPGA Emulation Device", true},
	} {
		if got := isSoftware(int64(test.bits), test.name); got != test.want {
			t.Errorf("%q of type %x: %v, want %v", test.name, int64(test.bits), got, test.want)
		}
	}
}

// TestHardware: an address or a UUID is read as each vendor's driver has it.
func TestHardware(t *testing.T) {
	words := func(words ...uint32) (bytes []byte) {
		for _, w := range words {
			bytes = binary.NativeEndian.AppendUint32(bytes, w)
		}
		return bytes
	}
	uuid := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	amd := append(words(1, 0, 0, 0, 0), 0, 0x0a, 0x1f, 7)
	for name, test := range map[string]struct {
		answers map[uint32][]byte
		want    []string
	}{
		"Khronos":          {map[uint32][]byte{deviceVendorID: words(0x8086), devicePCIBusInfo: words(1, 0x65, 2, 3), deviceUUID: uuid}, []string{"PCI 0001:65:02.3 of vendor 8086", "UUID 0102030405060708090a0b0c0d0e0f10"}},
		"NVIDIA":           {map[uint32][]byte{deviceBusNV: words(0x65), deviceSlotNV: words(2<<3 | 1), deviceDomainNV: words(1)}, []string{"PCI 0001:65:02.1 of vendor 0000"}},
		"NVIDIA, older":    {map[uint32][]byte{deviceBusNV: words(0x65), deviceSlotNV: words(0)}, []string{"PCI 0000:65:00.0 of vendor 0000"}},
		"AMD":              {map[uint32][]byte{deviceTopologyAMD: amd}, []string{"PCI 0000:0a:1f.7 of vendor 0000"}},
		"AMD, not on PCIe": {map[uint32][]byte{deviceTopologyAMD: make([]byte, 24)}, nil},
		"no address":       {map[uint32][]byte{devicePCIBusInfo: make([]byte, 16)}, nil},
		"no UUID":          {map[uint32][]byte{deviceUUID: make([]byte, 16)}, nil},
		"says nothing":     {nil, nil},
	} {
		got := hardware(func(parameter uint32, value []byte) bool {
			answer := test.answers[parameter]
			return len(answer) == len(value) && copy(value, answer) > 0
		})
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// TestUncontracted: a product is rounded before something is added to it.
func TestUncontracted(t *testing.T) {
	c, q := openFirst(t)
	k, err := c.NewKernel("multiply_add", 4)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Release()
	// The square of 1+2^-12 is 1+2^-11+2^-24, which rounds to 1+2^-11.
	const a = 1 + 1.0/4096
	x, y := alloc(t, c, 1), []float32{a}
	check(t, q.Write(x, 0, y), q.Launch(k, 1, 1, x, x, float32(a), float32(-1-1.0/2048)), q.Read(x, 0, y))
	if y[0] != 0 {
		t.Errorf("the sum is %g, and should be that of the rounded product, 0", y[0])
	}
}

const source = `kernel void copy(global float *dst, global const float *src, const ulong n)
{ if (get_global_id(0) < n) dst[get_global_id(0)] = src[get_global_id(0)]; }
kernel void multiply_add(global float *y, global const float *x, const float a, const float b)
{ y[get_global_id(0)] = x[get_global_id(0)] * a + b; }`

// openFirst opens the first device there is, with a queue.
func openFirst(t *testing.T) (*Context, *Queue) {
	t.Helper()
	var c *Context
	testenv.Open(t, func() (compute.Backend, error) {
		devices, err := Devices()
		if len(devices) == 0 {
			return nil, errors.Join(err, compute.ErrUnavailable)
		}
		c, err = Open(devices[0], source, "")
		return closer{c: c}, err
	})
	q, err := c.NewQueue()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := q.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return c, q
}

// closer lets testenv close a Context.
type closer struct {
	compute.Backend
	c *Context
}

func (c closer) Close() error {
	c.c.Close()
	return nil
}

func newCopy(t *testing.T, c *Context) *Kernel {
	t.Helper()
	k, err := c.NewKernel("copy", 3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Release)
	return k
}

func alloc(t *testing.T, c *Context, n int) *Mem {
	t.Helper()
	m, err := c.Alloc(4 * n)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Release)
	return m
}

// check fails the test for each error.
func check(t *testing.T, errs ...error) {
	t.Helper()
	for i, err := range errs {
		if err != nil {
			t.Errorf("step %d: %v", i, err)
		}
	}
}

func equal(t *testing.T, what string, got []float32, want ...float32) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s gave %v, want %v", what, got, want)
	}
}

func TestRoundTrip(t *testing.T) {
	c, q := openFirst(t)
	k, src, dst := newCopy(t, c), alloc(t, c, 3), alloc(t, c, 3)
	got := make([]float32, 3)
	check(t,
		q.Write(src, 0, []float32{1, -2, 3}),
		q.Write(src, 0, nil), // nothing
		q.Launch(k, 4, 2, dst, src, uint64(3)),
		q.Read(dst, 0, got),
		q.Read(dst, 0, nil),
		q.Wait())
	equal(t, "Launch", got, 1, -2, 3)
	check(t, q.Write(src, 1, []float32{7, 8}), q.Read(src, 0, got))
	equal(t, "Write with an offset", got, 1, 7, 8)
	check(t, q.Read(src, 2, got[:1]))
	equal(t, "Read with an offset", got, 8, 7, 8)
	for range 2 {
		src.Release()
		dst.Release()
	}
	for what, err := range map[string]error{
		"Launch": q.Launch(k, 4, 2, dst, src, uint64(3)),
		"Write":  q.Write(src, 0, []float32{1}),
		"Read":   q.Read(src, 0, got),
	} {
		if !errors.Is(err, compute.ErrClosed) {
			t.Errorf("%s of released memory: %v", what, err)
		}
	}
}

func TestMapped(t *testing.T) {
	c, q := openFirst(t)
	k, src, dst := newCopy(t, c), alloc(t, c, 4), alloc(t, c, 4)
	got := make([]float32, 3)
	check(t,
		q.Fill(src, 3, func(v []float32) { copy(v, []float32{1, -2, 3}) }),
		q.Launch(k, 4, 2, dst, src, uint64(3)),
		q.View(dst, 3, func(v []float32) { copy(got, v) }))
	equal(t, "Fill and View", got, 1, -2, 3)
}

func TestStaging(t *testing.T) {
	c, q := openFirst(t)
	k, src, dst := newCopy(t, c), alloc(t, c, 4), alloc(t, c, 4)
	s, err := c.NewStaging(q, 5)
	if err != nil {
		t.Fatal(err)
	}
	copy(s.Values, []float32{1, -2, 3, 4, 5})
	check(t,
		q.StartWrite(src, 1, s, 3),
		q.Launch(k, 4, 2, dst, src, uint64(4)),
		q.StartRead(dst, 2, s, 2),
		q.Wait())
	equal(t, "StartWrite and StartRead", s.Values, -2, 3, 3, 4, 5)
	check(t, s.Release())
}

// TestWrap: the device works on slices of the caller, pinned, however they lie.
func TestWrap(t *testing.T) {
	c, q := openFirst(t)
	k := newCopy(t, c)
	array := []float32{0, 1, -2, 3, 0, 0, 0, 0, 0}
	src, err := c.Wrap(array[1:4], false)
	if err != nil {
		t.Fatal(err)
	}
	dst, err := c.Wrap(array[5:8], true)
	if err != nil {
		t.Fatal(err)
	}
	check(t, q.Launch(k, 4, 2, dst, src, uint64(3)))
	runtime.GC()
	check(t, q.Update(dst, 3), q.Wait())
	src.Release()
	dst.Release()
	dst.Abandon() // after Release nothing
	equal(t, "a kernel between slices", array, 0, 1, -2, 3, 0, 1, -2, 3, 0)

	object := struct {
		pointer  *int
		elements [3]float32
	}{pointer: new(int)}
	on := &object
	if m, err := c.Wrap(on.elements[:], true); !CannotWrap(err) {
		m.Release()
		t.Errorf("a slice in an object with pointers: %v, want that Go refuses it", err)
	}
}

// TestAbandon: memory that a lost device may still write to stays pinned.
func TestAbandon(t *testing.T) {
	c, _ := openFirst(t)
	before := len(abandoned.list)
	m, err := c.Wrap(make([]float32, 3), true)
	if err != nil {
		t.Fatal(err)
	}
	m.Abandon()
	m.Abandon()
	if len(abandoned.list) != before+1 {
		t.Errorf("%d pins are kept, want 1", len(abandoned.list)-before)
	}
	runtime.GC() // a pin that is lost panics here
	runtime.GC()
}

func TestRefusals(t *testing.T) {
	c, q := openFirst(t)
	if _, err := c.NewKernel("missing", 3); err == nil || !strings.Contains(err.Error(), "kernel missing: clCreateKernel: CL_INVALID_KERNEL_NAME") {
		t.Errorf("a kernel that is not there: %v", err)
	}
	if _, err := c.NewKernel("copy", 4); err == nil || !strings.Contains(err.Error(), "takes 3 arguments, not 4") {
		t.Errorf("a kernel with other arguments: %v", err)
	}
	if err := q.Launch(newCopy(t, c), 1, 1, "text"); !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), "argument 0") {
		t.Errorf("an argument of no known type: %v", err)
	}
	devices, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(devices[0], "kernel void broken( {", ""); err == nil || !strings.Contains(err.Error(), "clBuildProgram: the program does not build: ") {
		t.Errorf("a source that is none: %v", err)
	}
	unusable := *devices[0]
	unusable.Usable = errors.New("no compiler")
	if _, err := Open(&unusable, source, ""); !errors.Is(err, unusable.Usable) {
		t.Errorf("a device that cannot be used: %v", err)
	}
}

// TestLateFailure: a kernel that fails after its launch is told of by whatever
// waits next.
func TestLateFailure(t *testing.T) {
	for name, wait := range map[string]func(*Queue, *Mem) error{
		"Wait":  func(q *Queue, _ *Mem) error { return q.Wait() },
		"Read":  func(q *Queue, m *Mem) error { return q.Read(m, 0, make([]float32, 1)) },
		"Write": func(q *Queue, m *Mem) error { return q.Write(m, 0, make([]float32, 1)) },
		"View":  func(q *Queue, m *Mem) error { return q.View(m, 1, func([]float32) {}) },
		"Fill":  func(q *Queue, m *Mem) error { return q.Fill(m, 1, func([]float32) {}) },
		"Close": func(q *Queue, _ *Mem) error { return q.Close() },
		// After a kernel that failed, NVIDIA's driver answers every call with this code.
		"out of resources": func(q *Queue, _ *Mem) error {
			return q.enqueue("clEnqueueNDRangeKernel", func() (*cl.Event, error) { return nil, cl.ErrOutOfResources })
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, q := openFirst(t)
			k, m := newCopy(t, c), alloc(t, c, 1)
			check(t, q.Launch(k, 2, 2, m, m, uint64(1)), q.Wait())
			gate, err := c.context.CreateUserEvent()
			if err != nil {
				t.Fatal(err)
			}
			defer gate.Release()
			check(t, q.enqueue("clEnqueueNDRangeKernel", func() (*cl.Event, error) {
				return q.queue.EnqueueNDRangeKernel(k.kernel, nil, []int{2}, []int{2}, []*cl.Event{gate})
			}))
			if err := gate.SetUserEventStatus(-5); err != nil { // which ends the kernel
				t.Fatal(err)
			}
			err = wait(q, m)
			if !errors.Is(err, compute.ErrDevice) || errors.Is(err, compute.ErrOutOfMemory) {
				t.Errorf("got %v, want one that wraps ErrDevice alone", err)
			}
			if err := q.Wait(); err != nil {
				t.Errorf("told of twice: %v", err)
			}
			// OpenCL lets clFinish fail behind a command that failed. Then, and only then,
			// nobody knows whether the device is still at work.
			if unknown := strings.Contains(fmt.Sprint(err), "clFinish"); q.Lost() != unknown {
				t.Errorf("the queue counts as lost: %v, after %v", q.Lost(), err)
			}
			if err := q.Close(); err != nil && !errors.Is(err, compute.ErrDevice) { // likewise
				t.Errorf("Close: %v, want nil, or an error that wraps ErrDevice", err)
			}
		})
	}
}

// TestManyLaunches: events do not pile up.
func TestManyLaunches(t *testing.T) {
	c, q := openFirst(t)
	k, m := newCopy(t, c), alloc(t, c, 1)
	for range 4 * maxPending {
		check(t, q.Launch(k, 2, 2, m, m, uint64(1)))
		if len(q.pending) > maxPending {
			t.Fatalf("%d events are kept", len(q.pending))
		}
	}
	check(t, q.Wait())
	if len(q.pending) != 0 {
		t.Errorf("%d events are left", len(q.pending))
	}
}
