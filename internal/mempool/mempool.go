// Package mempool keeps released memory for buffers to come: making a buffer again
// and again then does not cost what fresh memory costs, which is more than any
// kernel does.
package mempool

import (
	"math/bits"
	"sync"
)

// A Pool keeps memory of type T, sorted by size, up to a bound. Its methods may be
// called from several goroutines at once.
type Pool[T any] struct {
	limit int64 // bytes
	free  func(T)

	mu    sync.Mutex
	kept  map[int][]T // by elements
	bytes int64
}

// New returns a pool that keeps at most limit bytes, and gives memory back to
// where it came from with free.
func New[T any](limit int64, free func(T)) *Pool[T] {
	return &Pool[T]{limit: limit, free: free, kept: map[int][]T{}}
}

// Class returns the number of float32 elements for memory that is to serve all
// lengths around n: with four classes between a power of two and the next, a fourth
// more than n at most, and a multiple of 16.
func Class(n int) int {
	const least = 64 / 4
	if n <= 4*least {
		return (n + least - 1) / least * least
	}
	step := 1 << (bits.Len(uint(n-1)) - 3)
	return (n + step - 1) / step * step
}

// Largest returns the largest class of at most n elements, 0 or more.
func Largest(n int) int {
	const least = 64 / 4
	if n <= 4*least {
		return n / least * least
	}
	step := 1 << (bits.Len(uint(n)) - 3)
	return n / step * step
}

// size returns the bytes of n elements.
func size(n int) int64 { return 4 * int64(n) }

// Get returns memory of n elements, if some is kept.
func (p *Pool[T]) Get(n int) (m T, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept[n]) == 0 {
		return m, false
	}
	return p.pop(n), true
}

// pop takes memory of n elements, of which some is kept.
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

// Put takes memory of n elements that nothing uses any more. If the pool is full,
// memory of other sizes makes room: what was just used is what will be wanted.
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

// Empty gives all that the pool keeps back, and returns how many bytes that was.
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

// Bytes returns how much the pool keeps.
func (p *Pool[T]) Bytes() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.bytes
}
