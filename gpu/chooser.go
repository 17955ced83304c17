//go:build opencl && cgo

package gpu

import (
	"sync"
	"time"
)

// A chooser picks the faster of two ways to do the same, by what each took in the calls
// so far. A device that shares the memory of the host may map it for nothing, as PoCL, or
// copy all of it for a map, as Mesa, and OpenCL does not report which.
type chooser struct {
	mu    sync.Mutex
	tries [2]int
	best  [2]float64 // least time for an element, in ns
}

// trials is how often each way is tried before the faster is kept.
const trials = 3

// settled reports whether the faster way is known.
func (c *chooser) settled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.tries[0] >= trials && c.tries[1] >= trials
}

// do does n elements, at least one, by one of the ways.
func (c *chooser) do(n int, ways [2]func() error) error {
	way := c.choose()
	start := time.Now()
	if err := ways[way](); err != nil {
		return err
	}
	c.note(way, float64(time.Since(start))/float64(n))
	return nil
}

// choose returns the way that was tried less often, or else the faster one.
func (c *chooser) choose() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	first, second := min(c.tries[0], trials), min(c.tries[1], trials)
	if second < first || first == second && first == trials && c.best[1] < c.best[0] {
		return 1
	}
	return 0
}

// note counts a try that took so many ns for an element.
func (c *chooser) note(way int, ns float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tries[way] == 0 || ns < c.best[way] {
		c.best[way] = ns
	}
	c.tries[way]++
}
