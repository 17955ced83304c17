//go:build opencl && cgo

package gpu

import (
	"errors"
	"math"
	"time"

	"github.com/gmind-go/compute"
)

// A chooser picks the faster of two ways to do the same, by what each took in the calls
// so far. A device that shares the memory of the host may map it for nothing, as PoCL, or
// copy all of it for a map, as Mesa, and OpenCL does not report which.
type chooser struct {
	tries int
	best  [2]float64 // least time for an element, in ns; 0 before the trials
}

// trials are the ways that are taken first. The first of each is not timed, since memory
// that is new makes it slow; the others come so that calls which take turns on a large and
// a small buffer give both ways both.
var trials = [...]int{0, 1, 1, 0, 0, 1}

// settled reports whether the faster way is known.
func (c *chooser) settled() bool { return c.tries >= len(trials) }

// do does n elements, at least one, by one of the ways; if that runs out of memory, by the
// other one, now and from then on.
func (c *chooser) do(n int, ways [2]func() error) error {
	way := 0
	switch {
	case !c.settled():
		way = trials[c.tries]
	case c.best[1] < c.best[0]:
		way = 1
	}
	err := c.try(way, n, ways[way])
	if errors.Is(err, compute.ErrOutOfMemory) {
		c.best[way], c.tries = math.Inf(1), len(trials)
		err = c.try(1-way, n, ways[1-way])
	}
	return err
}

// try does n elements by a way, and notes how long it takes.
func (c *chooser) try(way, n int, do func() error) error {
	start := time.Now()
	if err := do(); err != nil {
		return err
	}
	took := float64(time.Since(start)) / float64(n)
	if c.tries >= 2 && (c.best[way] == 0 || took < c.best[way]) {
		c.best[way] = took
	}
	c.tries++
	return nil
}
