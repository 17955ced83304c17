package cpu

import (
	"errors"
	"fmt"
	"math"
	"sync/atomic"
	"unsafe"

	"github.com/gmind-go/compute/internal/host"
	"github.com/gmind-go/compute/internal/mempool"
)

// mapSize is the least size in bytes of memory that is mapped from the system, where it can
// be; smaller memory is on Go's heap. If the system refuses, mapping returns an error where
// Go's heap would end the process; and mapped memory can have huge pages.
const mapSize = 64 << 10

// memory holds a buffer or a mask. The elements start at a multiple of 64 bytes,
// unless it is a view; their capacity is the size of their class.
type memory struct {
	elements []float32
	mapping  []byte // the whole mapping; nil on Go's heap
	frame    frame  // of the call that locks it as its first operand, if it runs no plan
	isView   bool   // of other memory
}

// view returns the n elements from the index on, in the same memory.
func (m *memory) view(from, n int) *memory {
	return &memory{elements: m.elements[from : from+n : from+n], isView: true}
}

// newMemory returns memory for n elements, with unspecified contents.
func newMemory(n int) (*memory, error) {
	if 4*n < mapSize {
		const line = 64 / 4
		heap := make([]float32, n+line)
		skip := int(-uintptr(unsafe.Pointer(&heap[0]))/4) & (line - 1)
		return &memory{elements: heap[skip : skip+n : skip+n]}, nil
	}
	mapping, start, err := mapMemory(4 * n)
	if err != nil {
		return nil, err
	}
	elements := unsafe.Slice((*float32)(unsafe.Pointer(&mapping[start])), n)
	return &memory{elements: elements, mapping: mapping}, nil
}

// start returns where the elements start.
func (m *memory) start() unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(m.elements)) }

// bytes returns the size of all elements of the class.
func (m *memory) bytes() int64 { return 4 * int64(cap(m.elements)) }

// free unmaps the memory if it is mapped. Nothing may use it any more.
func (m *memory) free() {
	if m.mapping != nil {
		unmapMemory(m.mapping)
	}
	m.elements, m.mapping = nil, nil // what is mapped there next must not look used
}

// A memoryPool makes memory, and keeps released memory for reuse. It refuses requests for
// more than the machine has: the system would grant them, and end the process when it uses
// the memory.
type memoryPool struct {
	*mempool.Pool[*memory]

	total     int64        // bytes that this process can have at most; 0 if unknown
	available func() int64 // bytes that it can still use: host.Available

	taken     atomic.Int64 // bytes that were made and not freed
	unchecked atomic.Int64 // bytes made since available was last called
}

// maxPooled is the most that a pool keeps, in bytes.
const maxPooled = 512 << 20

// checkAfter is the number of bytes that are made between two calls of available. A call
// takes some 0.1 ms, less than a tenth of the time that the first access to this many bytes
// takes. BenchmarkFresh shows both.
const checkAfter = 16 << 20

func newMemoryPool() *memoryPool {
	p := &memoryPool{total: host.Memory(), available: host.Available}
	p.Pool = mempool.New(maxPooled, p.free)
	return p
}

// free gives memory that nothing uses any more back to where it came from.
func (p *memoryPool) free(m *memory) {
	p.taken.Add(-m.bytes())
	m.free()
}

// maxAlloc returns the bytes of the largest buffer, or 0 if that is not known.
func (p *memoryPool) maxAlloc() int64 {
	return 4 * int64(mempool.Largest(int(min(p.total, math.MaxInt/2)/4)))
}

// get returns memory with n elements.
func (p *memoryPool) get(n int) (*memory, error) {
	if n > math.MaxInt/8 { // what follows must not overflow
		return nil, errors.New("more than half of all addresses")
	}
	class := mempool.Class(n)
	m, ok := p.Get(class)
	if !ok {
		var err error
		m, err = p.fresh(class)
		if err != nil && p.Empty() > 0 { // try with what that gives back
			m, err = p.fresh(class)
		}
		if err != nil {
			return nil, err
		}
	}
	m.elements = m.elements[:n]
	return m, nil
}

// fresh returns memory with n elements, the number of a class.
func (p *memoryPool) fresh(n int) (*memory, error) {
	bytes := 4 * int64(n)
	taken := p.taken.Add(bytes) // before it is made, since other calls may take it
	var m *memory
	var err error
	if p.total > 0 && taken > p.total {
		err = fmt.Errorf("of the %d bytes of memory that this process can have, %d are not in buffers yet", p.total, max(p.total-taken+bytes, 0))
	}
	if err == nil && p.unchecked.Add(bytes) > checkAfter {
		if have := p.available(); bytes > have {
			err = fmt.Errorf("%d bytes of memory are available to this process", have)
		} else {
			p.unchecked.Store(bytes)
		}
	}
	if err == nil {
		m, err = newMemory(n)
	}
	if err != nil {
		p.taken.Add(-bytes)
	}
	return m, err
}

// put takes memory that nothing uses any more.
func (p *memoryPool) put(m *memory) { p.Put(cap(m.elements), m) }
