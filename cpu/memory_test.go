package cpu

import (
	"testing"
	"unsafe"

	"github.com/gmind-go/compute"
)

// TestMemory: memory is aligned, writable to its ends, and comes back from the
// pool, on both sides of the sizes where its source changes.
func TestMemory(t *testing.T) {
	p := newMemoryPool()
	for _, n := range []int{1, 15, 16, 17, 1000, mapSize/4 - 1, mapSize / 4, mapSize/4 + 1, 1<<19 - 1, 1 << 19, 1<<19 + 1, 3 << 20} {
		m, err := p.get(n)
		if err != nil {
			t.Fatal(err)
		}
		if len(m.elements) != n || cap(m.elements) < n || cap(m.elements) > n+n/4+16 {
			t.Fatalf("get(%d) returned %d elements of %d", n, len(m.elements), cap(m.elements))
		}
		if addr := uintptr(unsafe.Pointer(&m.elements[0])); addr%64 != 0 {
			t.Errorf("get(%d) starts at %x", n, addr)
		}
		all := m.elements[:cap(m.elements)]
		for i := range all {
			all[i] = 1
		}
		p.put(m)
		if kept := p.Bytes(); kept != 4*int64(len(all)) {
			t.Errorf("the pool counts %d bytes of %d", kept, 4*len(all))
		}
		again, err := p.get(n)
		if err != nil {
			t.Fatal(err)
		}
		if &again.elements[0] != &m.elements[0] || p.Bytes() != 0 {
			t.Errorf("get(%d) did not return what was put", n)
		}
		again.free()
	}
}

// TestTrim: a backend keeps memory that is released, and gives it back when asked
// to, or closed.
func TestTrim(t *testing.T) {
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	fill := func() {
		buf, err := b.Alloc(1 << 20)
		if err != nil {
			t.Fatal(err)
		}
		buf.Release()
		if b.Info().PooledBytes < 4<<20 {
			t.Errorf("after a buffer of 4 MiB was released, %d bytes are kept", b.Info().PooledBytes)
		}
	}
	fill()
	compute.Trim(b)
	if kept := b.Info().PooledBytes; kept != 0 {
		t.Errorf("after Trim, %d bytes are kept", kept)
	}
	fill()
	b.Close()
	if kept := b.Info().PooledBytes; kept != 0 {
		t.Errorf("after Close, %d bytes are kept", kept)
	}
}
