//go:build opencl && cgo

package opencl

import (
	"errors"
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

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
		c, err = Open(devices[0])
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
	return newKernel(t, c, "copy", 3)
}

// newKernel returns a kernel of source.
func newKernel(t *testing.T, c *Context, name string, args int) *Kernel {
	t.Helper()
	p, err := c.Build(source, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Release)
	k, err := p.NewKernel(name, args)
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
