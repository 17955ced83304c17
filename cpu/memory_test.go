package cpu

import (
	"testing"
	"unsafe"

	"github.com/gmind-go/compute"
)

func TestMemory(t *testing.T) {
	var p memoryPool
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
		if p.bytes() != m.bytes() {
			t.Errorf("the pool counts %d bytes of %d", p.bytes(), m.bytes())
		}
		again, err := p.get(n)
		if err != nil {
			t.Fatal(err)
		}
		if &again.elements[0] != &m.elements[0] || p.bytes() != 0 {
			t.Errorf("get(%d) did not return what was put", n)
		}
		again.free()
	}
}

func TestMemoryPoolIsBounded(t *testing.T) {
	var p memoryPool
	const n = maxPooled / 4 / 3
	var held []memory
	for range 5 {
		m, err := p.get(n)
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, m)
	}
	for _, m := range held {
		p.put(m)
	}
	if p.bytes() == 0 || p.bytes() > maxPooled {
		t.Errorf("the pool keeps %d bytes of at most %d", p.bytes(), maxPooled)
	}
	large, err := p.get(maxPooled / 4 * 3 / 4) // which has room only beside one of them
	if err != nil {
		t.Fatal(err)
	}
	p.put(large)
	if again, err := p.get(len(large.elements)); err != nil || &again.elements[0] != &large.elements[0] {
		t.Errorf("%v: what was put last was not kept", err)
	} else {
		p.put(again)
	}
	if p.bytes() == 0 || p.bytes() > maxPooled {
		t.Errorf("with another class the pool keeps %d bytes of at most %d", p.bytes(), maxPooled)
	}
	p.empty()
	if p.bytes() != 0 || len(p.free) != 0 {
		t.Errorf("the empty pool keeps %d bytes", p.bytes())
	}
}

func TestClass(t *testing.T) {
	last := 0
	for n := 1; n < 100_000; n++ {
		c := class(n)
		if c < n || c > max(n+n/4, 64/4) && c > n+15 || c < last || class(c) != c || c%16 != 0 {
			t.Fatalf("class(%d) is %d, class(%d) %d, class(%d) %d", n-1, last, n, c, c, class(c))
		}
		last = c
	}
}

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
