package mempool

import "testing"

// tracked is memory that records whether it was freed.
type tracked struct{ freed bool }

func newTracked(limit int64) *Pool[*tracked] {
	return New(limit, func(m *tracked) { m.freed = true })
}

func TestPool(t *testing.T) {
	p := newTracked(1000)
	if _, ok := p.Get(16); ok {
		t.Error("Get of an empty pool returns memory")
	}
	m := &tracked{}
	p.Put(16, m)
	if p.Bytes() != 64 {
		t.Errorf("with 16 elements the pool counts %d bytes", p.Bytes())
	}
	if _, ok := p.Get(32); ok {
		t.Error("Get returns memory of another size")
	}
	if got, ok := p.Get(16); !ok || got != m || p.Bytes() != 0 {
		t.Errorf("got %v, %v with %d bytes left, want the memory of Put", got, ok, p.Bytes())
	}
	p.Put(16, m)
	if bytes := p.Empty(); bytes != 64 || !m.freed || p.Bytes() != 0 {
		t.Errorf("Empty returns %d bytes, freed is %v", bytes, m.freed)
	}
}

// TestLimit: the pool keeps no more than its limit, and prefers the latest memory.
func TestLimit(t *testing.T) {
	p := newTracked(4 * 100)
	var held []*tracked
	for range 5 {
		m := &tracked{}
		held = append(held, m)
		p.Put(32, m)
	}
	if p.Bytes() != 3*4*32 {
		t.Errorf("of 5 times 32 elements the pool keeps %d bytes of 400", p.Bytes())
	}
	large, huge := &tracked{}, &tracked{}
	p.Put(64, large) // there is space for one of the others
	if got, ok := p.Get(64); !ok || got != large || p.Bytes() != 4*32 {
		t.Errorf("the latest memory is not in the pool, which has %d bytes", p.Bytes())
	}
	p.Put(101, huge)
	if !huge.freed || p.Bytes() != 4*32 {
		t.Errorf("after Put of more than the limit the pool has %d bytes", p.Bytes())
	}
	freed := 0
	for _, m := range held {
		if m.freed {
			freed++
		}
	}
	if freed != 4 {
		t.Errorf("%d of 5 were freed, want all but one", freed)
	}
}

func TestClass(t *testing.T) {
	last := 0
	for n := 1; n < 100_000; n++ {
		c := Class(n)
		if c < n || c > max(n+n/4, 64/4) && c > n+15 || c < last || Class(c) != c || c%16 != 0 {
			t.Fatalf("Class(%d) is %d, Class(%d) %d, Class(%d) %d", n-1, last, n, c, c, Class(c))
		}
		last = c
	}
}

// TestLargest: the result is a class, and the next class is too large.
func TestLargest(t *testing.T) {
	for n := range 5000 {
		largest := Largest(n)
		if largest > n || Class(largest) != largest || Class(largest+1) <= n {
			t.Fatalf("the largest class of at most %d elements is %d", n, largest)
		}
	}
}
