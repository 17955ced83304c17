package cpu

import (
	"errors"
	"math"
	"math/bits"
	"sync"
	"unsafe"
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

func (m memory) bytes() int64 { return 4 * int64(cap(m.elements)) }

// memoryPool keeps released memory for buffers to come, so that making a buffer
// again and again does not cost the page faults of fresh memory, which are slower
// than any kernel. It is sorted by classes of size, and bounded.
type memoryPool struct {
	mu     sync.Mutex
	free   map[int][]memory // by elements of the class
	pooled int64            // bytes
}

// maxPooled is the most that a pool keeps, in bytes.
const maxPooled = 512 << 20

// class returns the number of elements that memory for n elements has: with four
// classes between a power of two and the next, a fourth more than n at most.
func class(n int) int {
	const least = 64 / 4
	if n <= 4*least {
		return (n + least - 1) / least * least
	}
	step := 1 << (bits.Len(uint(n-1)) - 3)
	return (n + step - 1) / step * step
}

// get returns memory with n elements.
func (p *memoryPool) get(n int) (memory, error) {
	if n > math.MaxInt/8 { // what follows must not overflow
		return memory{}, errors.New("more than half of all addresses")
	}
	size := class(n)
	p.mu.Lock()
	if list := p.free[size]; len(list) > 0 {
		m := list[len(list)-1]
		p.free[size] = list[:len(list)-1]
		p.pooled -= m.bytes()
		p.mu.Unlock()
		m.elements = m.elements[:n]
		return m, nil
	}
	p.mu.Unlock()
	m, err := newMemory(size)
	if err != nil && p.bytes() > 0 {
		p.empty() // and try with what that gives back
		m, err = newMemory(size)
	}
	if err != nil {
		return memory{}, err
	}
	m.elements = m.elements[:n]
	return m, nil
}

// put takes memory that nothing uses any more. If the pool is full, memory of other
// classes makes room: what was just used is what will be wanted.
func (p *memoryPool) put(m memory) {
	p.mu.Lock()
	defer p.mu.Unlock()
	size := cap(m.elements)
	own := m.bytes() * int64(1+len(p.free[size]))
	if own > maxPooled {
		m.free()
		return
	}
	for other, list := range p.free {
		for other != size && len(list) > 0 && p.pooled+m.bytes() > maxPooled {
			last := len(list) - 1
			p.pooled -= list[last].bytes()
			list[last].free()
			list = list[:last]
			p.free[other] = list
		}
	}
	if p.free == nil {
		p.free = map[int][]memory{}
	}
	p.free[size] = append(p.free[size], m)
	p.pooled += m.bytes()
}

// empty gives all that the pool keeps back.
func (p *memoryPool) empty() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range p.free {
		for _, m := range list {
			m.free()
		}
	}
	p.free, p.pooled = nil, 0
}

func (p *memoryPool) bytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pooled
}
