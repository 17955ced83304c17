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

// Memory for buffers comes from two places. Small ones are slices of Go's heap.
// Large ones, from mapSize bytes on, are mapped from the system where that can
// be done: a request that the system refuses is then an error, where Go's heap
// would end the process; and the system is asked for huge pages.
const mapSize = 64 << 10

// memory holds a buffer or a mask. The elements start at a multiple of 64 bytes; their
// capacity is the size of their class.
type memory struct {
	elements []float32
	mapping  []byte // all that is mapped for it; nil on Go's heap
	args     args   // of the call that locks it as its first operand
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

// bytes returns the size of all elements of the class.
func (m *memory) bytes() int64 { return 4 * int64(cap(m.elements)) }

// free gives the memory back to where it came from. Nothing may use it any more.
func (m *memory) free() {
	if m.mapping != nil {
		unmapMemory(m.mapping)
	}
	m.elements, m.mapping = nil, nil // what is mapped there next must not look used
}

// A memoryPool makes memory, and keeps what is released. It refuses memory that the
// system would promise, as it promises more than it has, and then end the process for
// using.
type memoryPool struct {
	*mempool.Pool[*memory]

	total     int64        // bytes that this process can have at most; 0 if unknown
	available func() int64 // bytes that it can still use: host.Available

	taken    atomic.Int64 // bytes of all that was made and not freed
	unlooked atomic.Int64 // bytes made since available was last asked
}

// maxPooled is the most that a pool keeps, in bytes.
const maxPooled = 512 << 20

// lookAfter is how many bytes are made between two looks at what is available: a look
// takes some 0.1 ms, less than a tenth of the time in which as many bytes of fresh memory
// are first touched. BenchmarkFresh shows both.
const lookAfter = 16 << 20

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
	if err == nil && p.unlooked.Add(bytes) > lookAfter {
		if have := p.available(); bytes > have {
			err = fmt.Errorf("%d bytes of memory are available to this process", have)
		} else {
			p.unlooked.Store(bytes)
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
