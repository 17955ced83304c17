package main

import (
	"context"
	"math"
	"sync"
	"time"

	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

// A timer times one measurement, repeated within each run so that the run is long
// enough, with operands that take turns.
type timer struct {
	measurement
	sets   *sets
	calls  int           // in a run
	result report.Result // of which it makes TimesNS
	spent  time.Duration // in timed runs

	checking time.Duration // spent on the results
	wrong    string        // the first difference, or ""
	checked  int           // runs whose result was compared
}

// run makes one run.
func (t *timer) run() (time.Duration, error) {
	start := time.Now()
	for range t.calls {
		if err := t.call(t.sets.take()); err != nil {
			return 0, err
		}
	}
	return time.Since(start), nil
}

const (
	warmUpTime  = 300 * time.Millisecond // for one measurement at most, once it has made some runs
	warmUpRuns  = 3
	warmUpDrift = 0.05 // between runs that are warm
)

// warmUp finds out how many calls a run takes, and makes runs until one takes as
// long as the one before, or for warmUpTime.
func (t *timer) warmUp(ctx context.Context, c config) error {
	t.calls = 1
	begin, last := time.Now(), 0.0
	for runs := 1; ctx.Err() == nil; runs++ {
		d, err := t.run()
		if err != nil {
			return err
		}
		if d < runTime(c) {
			t.calls *= 2
			last = 0 // as long as none
			continue
		}
		stable := math.Abs(float64(d)-last) <= warmUpDrift*last
		if runs >= warmUpRuns && (stable || time.Since(begin) > warmUpTime) {
			return nil
		}
		last = float64(d)
	}
	return nil
}

// step makes one timed run, and looks at its result if none was looked at yet, or not for
// longer than calls were timed.
func (t *timer) step(c config) error {
	look := t.checked == 0 || t.checking <= t.spent
	if look {
		begin := time.Now()
		if err := t.spoil(t.sets.after(t.calls)); err != nil {
			return err
		}
		t.checking += time.Since(begin)
	}
	last := t.sets.after(t.calls)
	d, err := t.run()
	if err != nil {
		return err
	}
	if d < runTime(c)/2 { // the warm-up was held up, so calls are too few
		t.calls *= 2
		t.result.TimesNS, t.spent, t.checking = nil, 0, 0
		return nil
	}
	t.spent += d
	t.result.TimesNS = append(t.result.TimesNS, float64(d.Nanoseconds())/float64(t.calls))
	if !look {
		return nil
	}
	begin := time.Now()
	err = t.look(last)
	t.checking += time.Since(begin)
	return err
}

// look compares what the last call has left in s.
func (t *timer) look(s *set) error {
	difference, err := t.difference(s)
	if err != nil {
		return err
	}
	if t.wrong == "" {
		t.wrong = difference
	}
	t.checked++
	return nil
}

// lookAgain makes one more run like those that were timed, and looks at its result.
func (t *timer) lookAgain() error {
	last := t.sets.after(t.calls)
	if err := t.spoil(last); err != nil {
		return err
	}
	if _, err := t.run(); err != nil {
		return err
	}
	return t.look(last)
}

// minRuns is the least number of runs that the interval of the median is taken from,
// where the most is not less.
const minRuns = 12

// done tells whether the median is known well enough, or enough was spent on it.
func (t *timer) done(c config) bool {
	runs := len(t.result.TimesNS)
	switch {
	case runs >= c.runs:
		return true
	case runs < minRuns:
		return t.spent > 20*c.time // a device so slow that it cannot be waited for
	case t.spent >= c.time:
		return true
	}
	t.result.Summarize()
	return t.result.Spread() <= c.precision
}

// timeAll warms up all timers and makes their runs. They take turns: the speed of a
// machine's memory changes from second to second, and measurements are compared with
// one another. At the end the result of each is looked at once more. It stops at the
// end of ctx. progress is called whenever one is done.
func timeAll(ctx context.Context, c config, timers []*timer, progress func()) error {
	for _, t := range timers {
		if err := t.warmUp(ctx, c); err != nil {
			return err
		}
	}
	open := timers
	for len(open) > 0 && ctx.Err() == nil {
		var still []*timer
		for _, t := range open {
			if err := t.step(c); err != nil {
				return err
			}
			if !t.done(c) {
				still = append(still, t)
			} else {
				progress()
			}
			if ctx.Err() != nil {
				return nil
			}
		}
		open = still
	}
	for _, t := range timers {
		if ctx.Err() != nil {
			return nil
		}
		if err := t.lookAgain(); err != nil {
			return err
		}
	}
	return nil
}

// runTime returns the shortest time that one run may take: so long that the clock can
// tell it, and that the runs, if they are as many as by default, take about c.time.
func runTime(c config) time.Duration {
	return max(minRun(), min(c.time/maxRunsByDefault, 10*time.Millisecond))
}

const maxRunsByDefault = 100

// minRun returns the shortest time that the clock can tell: so long that reading the
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
