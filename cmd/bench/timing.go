package main

import (
	"slices"
	"sync"
	"time"

	"gonum.org/v1/gonum/stat"
)

// A timer times one call, repeated within each run so that the run is long enough.
type timer struct {
	call  func() error
	calls int       // in a run
	times []float64 // of one call, in ns
}

// run makes one run.
func (t *timer) run() (time.Duration, error) {
	start := time.Now()
	for range t.calls {
		if err := t.call(); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

// warmUp makes two runs at least, and finds out how many calls a run takes.
func (t *timer) warmUp() error {
	t.calls = 1
	for warm := 0; ; warm++ {
		d, err := t.run()
		if err != nil {
			return err
		}
		switch {
		case d < minRun():
			t.calls *= 2
		case warm > 0:
			return nil
		}
	}
}

// timeAll warms up each of the calls and returns the times of so many runs of
// each, in ns for one call, sorted. It takes turns: the speed of a machine's memory
// changes from second to second, and calls are compared with one another.
func timeAll(runs int, calls []func() error) ([][]float64, error) {
	timers := make([]timer, len(calls))
	for i, call := range calls {
		timers[i].call = call
		if err := timers[i].warmUp(); err != nil {
			return nil, err
		}
	}
	for done := false; !done; {
		done = true
		for i := range timers {
			t := &timers[i]
			if len(t.times) == runs {
				continue
			}
			done = false
			d, err := t.run()
			if err != nil {
				return nil, err
			}
			if d < minRun()/2 { // the warm-up was held up, so calls are too few
				t.calls *= 2
				t.times = t.times[:0]
				continue
			}
			t.times = append(t.times, float64(d.Nanoseconds())/float64(t.calls))
		}
	}
	var all [][]float64
	for _, t := range timers {
		slices.Sort(t.times)
		all = append(all, t.times)
	}
	return all, nil
}

// median returns the middle one of sorted times.
func median(sorted []float64) float64 { return stat.Quantile(0.5, stat.Empirical, sorted, nil) }

// minRun returns the shortest time that one run may take: so long that reading the
// clock does not count, nor the step by which it advances, which on Windows is half
// a millisecond.
var minRun = sync.OnceValue(func() time.Duration {
	next := func(t time.Time) time.Time { // the first reading after t
		for {
			if now := time.Now(); now.After(t) {
				return now
			}
		}
	}
	step := time.Hour
	for range 3 {
		tick := next(time.Now())
		step = min(step, next(tick).Sub(tick))
	}
	return min(max(200*time.Microsecond, 20*step), 100*time.Millisecond)
})
