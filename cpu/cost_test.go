package cpu

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gmind-go/compute/internal/form"
	program "github.com/gmind-go/compute/internal/kernel"
)

// TestCost: elements is the inverse of time, and chunks are of whole words.
func TestCost(t *testing.T) {
	for _, c := range []cost{1, 39, 41, 1000, 12345, 1e6, 1e9} {
		for _, d := range []time.Duration{worthCore, chunkTime, worthWake} {
			if n := c.elements(d); c.time(n) < d || c.time(n-1) >= d {
				t.Errorf("at %d ns, %d elements take %v and one less %v, want %v", c, n, c.time(n), c.time(n-1), d)
			}
		}
		if n := c.chunk(); n%64 != 0 || n == 0 || n > 64 && c.time(n) > chunkTime {
			t.Errorf("at %d ns, a chunk of %d elements takes %v, want whole words and at most %v", c, n, c.time(n), chunkTime)
		}
	}
}

// TestMeasure measures kernels with a clock that only they move.
func TestMeasure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for fm, want := range map[form.Form]cost{form.Forward: 82, form.Backward: 123, form.ForwardMask: 84} {
			if got := measure(codeOf(generic, fm), slope(0.5)); got != want {
				t.Errorf("%v that takes no time: %d ns, want the %d of its data", fm, got, want)
			}
		}
		k := kernelOf("f(x, r, c, s) = (x + r) * c + s", program.Element, program.Row, program.Col, program.Scalar)
		plan, err := generic.compile(k)
		if err != nil {
			t.Fatal(err)
		}
		if got := measure(plan, slope(0.5)); got != 82 { // a row and a column stay in the cache
			t.Errorf("a plan that takes no time: %d ns, want the 82 of its data", got)
		}
		calls := 0
		slow := func(*args) {
			if calls++; calls == 2 || calls == 7 { // in the first batch and the last
				time.Sleep(time.Second) // another process had the core
			}
			time.Sleep(3 * time.Microsecond)
		}
		if got := measure(codeWith(slow), slope(0.5)); got != 3000 {
			t.Errorf("a kernel that takes 3000 ns: %d ns", got)
		}
	})
}

// TestCostShares: a job of few elements is shared if its kernel takes long.
func TestCostShares(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	dst := make([]float32, 1<<10)
	for c, want := range map[cost]bool{cost(worthWake) - 1: false, cost(worthWake): true} {
		var p pool
		a := sliceArgs(dst, dst)
		j := newJob(codeWith(count), nil, &a, nil, c)
		p.do(&j, new(frame))
		if got := p.turn.Load() != 0; got != want {
			t.Errorf("a job that takes %v is shared: %v, want %v", c.time(len(dst)), got, want)
		}
		p.stop()
	}
}
