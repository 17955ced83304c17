// Package mempool keeps released memory for later buffers, since fresh memory costs more time
// than any kernel.
package mempool

import (
	"math/bits"
	"sync"
)

// A Pool keeps memory of type T by size, up to a limit. It may be used concurrently.
type Pool[T any] struct {
	limit int64 // bytes
	free  func(T)

	mu    sync.Mutex
	kept  map[int][]T // by number of elements
	bytes int64
}

// New returns a pool that keeps at most limit bytes, and calls free for other memory.
func New[T any](limit int64, free func(T)) *Pool[T] {
	return &Pool[T]{limit: limit, free: free, kept: map[int][]T{}}
}

// least is the smallest class, and divides all classes: 64 bytes.
const least = 64 / 4

// Class returns the smallest size class of at least n elements of 4 bytes. There are four
// classes from a power of two to the next; all are multiples of 16. Above 64 elements a class
// is less than n+n/4.
func Class(n int) int {
	if n <= 4*least {
		return (n + least - 1) / least * least
	}
	step := 1 << (bits.Len(uint(n-1)) - 3)
	return (n + step - 1) / step * step
}

// Largest returns the largest size class of at most n elements, or 0 if there is none.
func Largest(n int) int {
	if n <= 4*least {
		return n / least * least
	}
	step := 1 << (bits.Len(uint(n)) - 3)
	return n / step * step
}

// size returns the number of bytes of n elements.
func size(n int) int64 { return 4 * int64(n) }

// Get returns memory of n elements. ok is false if the pool has none.
func (p *Pool[T]) Get(n int) (m T, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept[n]) == 0 {
		return m, false
	}
	return p.pop(n), true
}

// pop removes and returns memory of n elements, which the pool has.
func (p *Pool[T]) pop(n int) T {
	list := p.kept[n]
	last := len(list) - 1
	m := list[last]
	clear(list[last:])
	if p.kept[n] = list[:last]; last == 0 {
		delete(p.kept, n)
	}
	p.bytes -= size(n)
	return m
}

// Put adds unused memory of n elements. If the pool is full it frees memory of other sizes,
// since the size used last is the likeliest to be used next.
func (p *Pool[T]) Put(n int, m T) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if size(n)*int64(1+len(p.kept[n])) > p.limit {
		p.free(m)
		return
	}
	for other := range p.kept {
		if p.bytes+size(n) <= p.limit {
			break
		}
		for other != n && len(p.kept[other]) > 0 && p.bytes+size(n) > p.limit {
			p.free(p.pop(other))
		}
	}
	p.kept[n] = append(p.kept[n], m)
	p.bytes += size(n)
}

// Empty frees all memory of the pool, and returns how many bytes that was.
func (p *Pool[T]) Empty() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range p.kept {
		for _, m := range list {
			p.free(m)
		}
	}
	bytes := p.bytes
	p.kept, p.bytes = map[int][]T{}, 0
	return bytes
}

// Bytes returns the number of bytes in the pool.
func (p *Pool[T]) Bytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes
}
