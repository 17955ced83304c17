//go:build opencl && cgo

package opencl

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/jgillich/go-opencl/cl"

	"github.com/gmind-go/compute"
)

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
		q.Fill(src, 0, 3, func(v []float32) { copy(v, []float32{1, -2, 3}) }),
		q.Launch(k, 4, 2, dst, src, uint64(3)),
		q.View(dst, 0, 3, func(v []float32) { copy(got, v) }))
	equal(t, "Fill and View", got, 1, -2, 3)
	check(t,
		q.Fill(src, 2, 1, func(v []float32) { v[0] = 5 }),
		q.View(src, 1, 2, func(v []float32) { copy(got, v) }))
	equal(t, "Fill and View with an offset", got, -2, 5, 3)
}

func TestRefusals(t *testing.T) {
	c, q := openFirst(t)
	p, err := c.Build(source, "")
	if err != nil {
		t.Fatal(err)
	}
	defer p.Release()
	if _, err := p.NewKernel("missing", 3); err == nil || !strings.Contains(err.Error(), "kernel missing: clCreateKernel: CL_INVALID_KERNEL_NAME") {
		t.Errorf("a kernel that is not there: %v", err)
	}
	if _, err := p.NewKernel("copy", 4); err == nil || !strings.Contains(err.Error(), "takes 3 arguments, not 4") {
		t.Errorf("a kernel with other arguments: %v", err)
	}
	if err := q.Launch(newCopy(t, c), 1, 1, "text"); !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), "argument 0") {
		t.Errorf("an argument of no known type: %v", err)
	}
	devices, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Build("kernel void broken( {", ""); !IsBuild(err) || !strings.Contains(err.Error(), "clBuildProgram: the program does not build: ") {
		t.Errorf("a source that is none: %v", err)
	}
	unusable := *devices[0]
	unusable.Usable = errors.New("no compiler")
	if _, err := Open(&unusable); !errors.Is(err, unusable.Usable) {
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
		"View":  func(q *Queue, m *Mem) error { return q.View(m, 0, 1, func([]float32) {}) },
		"Fill":  func(q *Queue, m *Mem) error { return q.Fill(m, 0, 1, func([]float32) {}) },
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
