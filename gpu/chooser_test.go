//go:build opencl && cgo

package gpu

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// The ways of a chooser, as backend has them.
const plain, mapped = 0, 1

// prefer makes b use that way wherever it has the choice.
func prefer(b *backend, way int) {
	for _, c := range []*chooser{&b.writes, &b.reads, &b.ups, &b.downs} {
		c.tries, c.best = [2]int{trials, trials}, [2]float64{1, 1}
		c.best[way] = 0
	}
}

// TestChooser: after its trials a chooser keeps to the faster way, whichever that is, and
// a try that fails does not count.
func TestChooser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for faster := range 2 {
			var c chooser
			var done [2]int
			way := func(i int) func() error {
				return func() error {
					done[i]++
					if time.Sleep(time.Millisecond); i != faster {
						time.Sleep(time.Millisecond)
					}
					return nil
				}
			}
			broken := errors.New("broken")
			fails := func() error { return broken }
			if err := c.do(1, [2]func() error{fails, fails}); err != broken {
				t.Errorf("a way that fails gives %v", err)
			}
			for i := range 20 {
				if settled := i >= 2*trials; c.settled() != settled {
					t.Errorf("after %d tries settled is %v", i, c.settled())
				}
				if err := c.do(1, [2]func() error{way(0), way(1)}); err != nil {
					t.Fatal(err)
				}
			}
			if done[faster] != 20-trials || done[1-faster] != trials {
				t.Errorf("with way %d the faster one, tries are %v", faster, done)
			}
		}
	})
}
