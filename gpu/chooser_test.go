//go:build opencl && cgo

package gpu

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gmind-go/compute"
)

// The ways of a chooser, as device has them.
const plain, mapped = 0, 1

// prefer makes d use that way wherever it has the choice.
func prefer(d *device, way int) {
	for _, c := range []*chooser{&d.writes, &d.reads} {
		c.tries, c.best = len(trials), [2]float64{1e9, 1e9}
		c.best[way] = 1e-9
	}
}

// counted ways take so long for a call, or fail.
type countedWays struct {
	took  [2]time.Duration
	fails [2]error
	done  [2]int
}

func (w *countedWays) ways() (ways [2]func() error) {
	for i := range ways {
		ways[i] = func() error {
			time.Sleep(w.took[i])
			w.done[i]++
			return w.fails[i]
		}
	}
	return ways
}

// TestChooser: after its trials a chooser keeps to the faster way, whichever that is, for
// calls that take turns on much and on little, too.
func TestChooser(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for faster := range 2 {
			w := countedWays{took: [2]time.Duration{3 * time.Millisecond, 3 * time.Millisecond}}
			w.took[faster] = 2 * time.Millisecond
			var c chooser
			for i := range 20 {
				if settled := i >= len(trials); c.settled() != settled {
					t.Errorf("after %d tries settled is %v", i, c.settled())
				}
				if err := c.do(1+i%2*9, w.ways()); err != nil {
					t.Fatal(err)
				}
			}
			if w.done[faster] != 20-len(trials)/2 {
				t.Errorf("with way %d the faster one, tries are %v", faster, w.done)
			}
		}
	})
}

// TestChooserForMemory: where a way runs out of memory the other is taken, in the same
// call and from then on, until that fails too. Other errors are those of the call.
func TestChooserForMemory(t *testing.T) {
	broken := errors.New("broken")
	for without := range 2 {
		var w countedWays
		w.fails[without] = compute.ErrOutOfMemory
		var c chooser
		for range 20 {
			if err := c.do(1, w.ways()); err != nil {
				t.Fatal(err)
			}
		}
		if w.done[without] != 1 || w.done[1-without] != 20 {
			t.Errorf("where way %d needs too much memory, tries are %v", without, w.done)
		}
		w.fails = [2]error{compute.ErrOutOfMemory, compute.ErrOutOfMemory}
		if err := c.do(1, w.ways()); !errors.Is(err, compute.ErrOutOfMemory) {
			t.Errorf("where both do: %v", err)
		}
		w.fails = [2]error{}
		if err := c.do(1, w.ways()); err != nil {
			t.Errorf("when there is memory again: %v", err)
		}
		w.fails = [2]error{broken, broken}
		if err := c.do(1, w.ways()); err != broken {
			t.Errorf("a way that is broken: %v", err)
		}
	}
}
