package cpu

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/host"
)

// TestMemory: memory is aligned, writable to its ends, and reused by the pool, below and
// above the size from which on it is mapped.
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
		p.free(again)
	}
}

// TestAvailable: memory is refused beyond what this process can have, and beyond what is
// available; pooled memory counts as available.
func TestAvailable(t *testing.T) {
	for name, test := range map[string]struct{ total, available int64 }{
		"of the process": {64 << 20, math.MaxInt64},
		"no size class":  {50e6, math.MaxInt64},
		"of the machine": {0, 32 << 20},
		"both":           {64 << 20, 32 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			d := Options{}.device(generic)
			b := driver.New(d)
			defer b.Close()
			d.memory.total = test.total
			taken := &d.memory.taken
			d.memory.available = func() int64 { // as if all memory that is made were used at once
				if test.available == math.MaxInt64 {
					return test.available
				}
				info := b.Info()
				return test.available - info.LiveBytes - info.PooledBytes
			}
			most := min(cmp.Or(test.total, math.MaxInt64), test.available)
			info := b.Info()
			if info.Memory != test.total || info.MaxAlloc > test.total || info.MaxAlloc < test.total/5*4 {
				t.Errorf("of %d bytes, Info reports %d, and at most %d for one buffer", test.total, info.Memory, info.MaxAlloc)
			}
			if test.available == math.MaxInt64 {
				if buf, err := b.Alloc(int(info.MaxAlloc / 4)); err != nil {
					t.Errorf("Alloc of MaxAlloc: %v", err)
				} else {
					buf.Release()
					compute.Trim(b)
				}
			}
			_, err := b.Alloc(int(most/4) + 1)
			if !errors.Is(err, compute.ErrOutOfMemory) || !strings.Contains(err.Error(), fmt.Sprint(most)) {
				t.Errorf("Alloc of more than %d bytes: %v", most, err)
			}
			if _, err := b.Upload(make([]float32, most/4+1)); !errors.Is(err, compute.ErrOutOfMemory) {
				t.Errorf("Upload of more than %d bytes: %v", most, err)
			}
			if _, err := b.AllocMask(int(8*most) + 64); !errors.Is(err, compute.ErrOutOfMemory) {
				t.Errorf("AllocMask of more than %d bytes: %v", most, err)
			}
			for _, size := range []int{1 << 20, 1 << 22} { // bytes; the second time others are pooled
				var bufs []compute.Buffer
				for err = error(nil); err == nil && len(bufs) < 1000; {
					var buf compute.Buffer
					if buf, err = b.Alloc(size / 4); err == nil {
						bufs = append(bufs, buf)
					}
				}
				if !errors.Is(err, compute.ErrOutOfMemory) {
					t.Errorf("buffers of %d bytes: %v", size, err)
				}
				// available is not called for every buffer.
				if got := int64(len(bufs)*size) - most; got > checkAfter || got <= -int64(size) {
					t.Errorf("%d buffers of %d bytes are made, of %d bytes", len(bufs), size, most)
				}
				for _, buf := range bufs {
					buf.Release()
				}
			}
			b.Close()
			if left := taken.Load(); left != 0 {
				t.Errorf("after Close, %d bytes count as taken", left)
			}
		})
	}
}

// TestAvailableAtOnce: concurrent calls do not get more than there is.
func TestAvailableAtOnce(t *testing.T) {
	for range 100 {
		d := Options{}.device(generic)
		b := driver.New(d)
		d.memory.total = 10 << 20
		var made atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if _, err := b.Alloc(6 << 20 / 4); err == nil {
					made.Add(1)
				}
			})
		}
		wg.Wait()
		b.Close()
		if made.Load() > 1 {
			t.Fatalf("%d buffers of 6 MiB are made, of 10 MiB", made.Load())
		}
	}
}

// BenchmarkFresh times host.Available, and making memory and writing to it.
func BenchmarkFresh(b *testing.B) {
	b.Run("available", func(b *testing.B) {
		for b.Loop() {
			host.Available()
		}
	})
	b.Run("write", func(b *testing.B) {
		b.SetBytes(checkAfter)
		for b.Loop() {
			m, err := newMemory(checkAfter / 4)
			if err != nil {
				b.Fatal(err)
			}
			clear(m.elements)
			m.free()
		}
	})
}

// TestTrim: a backend keeps released memory until Trim or Close.
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
