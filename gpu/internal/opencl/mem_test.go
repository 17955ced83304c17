//go:build opencl && cgo

package opencl

import (
	"runtime"
	"testing"
)

func TestStaging(t *testing.T) {
	c, q := openFirst(t)
	k, src, dst := newCopy(t, c), alloc(t, c, 4), alloc(t, c, 4)
	s, err := c.NewStaging(q, 5)
	if err != nil {
		t.Fatal(err)
	}
	copy(s.Values, []float32{1, -2, 3, 4, 5})
	check(t,
		q.StartWrite(src, 1, s, 0, 3),
		q.Launch(k, 4, 2, dst, src, uint64(4)),
		q.StartRead(dst, 2, s, 0, 2),
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
