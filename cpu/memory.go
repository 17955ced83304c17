package cpu

import (
	"errors"
	"math"
	"unsafe"

	"github.com/gmind-go/compute/internal/mempool"
)

// Memory for buffers comes from two places. Small ones are slices of Go's heap.
// Large ones, from mapSize bytes on, are mapped from the system where that can
// be done: a request that the system refuses is then an error, where Go's heap
// would end the process; and the system is asked for huge pages.
const mapSize = 64 << 10

// memory is what a buffer works in: elements that start at a multiple of 64 bytes.
// Its capacity is that of its class.
type memory struct {
	elements []float32
	mapping  []byte // all that is mapped for it; nil on Go's heap
}

// newMemory returns memory for n elements, with unspecified contents.
func newMemory(n int) (memory, error) {
	if 4*n < mapSize {
		const line = 64 / 4
		heap := make([]float32, n+line)
		skip := int(-uintptr(unsafe.Pointer(&heap[0]))/4) & (line - 1)
		return memory{elements: heap[skip : skip+n : skip+n]}, nil
	}
	mapping, start, err := mapMemory(4 * n)
	if err != nil {
		return memory{}, err
	}
	elements := unsafe.Slice((*float32)(unsafe.Pointer(&mapping[start])), n)
	return memory{elements, mapping}, nil
}

// free gives the memory back to where it came from. Nothing may use it any more.
func (m memory) free() {
	if m.mapping != nil {
		unmapMemory(m.mapping)
	}
}

// memoryPool makes memory, and keeps what is released.
type memoryPool struct{ *mempool.Pool[memory] }

// maxPooled is the most that a pool keeps, in bytes.
const maxPooled = 512 << 20

func newMemoryPool() memoryPool { return memoryPool{mempool.New(maxPooled, memory.free)} }

// get returns memory with n elements.
func (p memoryPool) get(n int) (memory, error) {
	if n > math.MaxInt/8 { // what follows must not overflow
		return memory{}, errors.New("more than half of all addresses")
	}
	class := mempool.Class(n)
	m, ok := p.Get(class)
	if !ok {
		var err error
		m, err = newMemory(class)
		if err != nil && p.Empty() > 0 { // try with what that gives back
			m, err = newMemory(class)
		}
		if err != nil {
			return memory{}, err
		}
	}
	m.elements = m.elements[:n]
	return m, nil
}

// put takes memory that nothing uses any more.
func (p memoryPool) put(m memory) { p.Put(cap(m.elements), m) }
