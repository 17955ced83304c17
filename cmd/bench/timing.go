package main

import (
	"context"
	"sync"
	"time"

	"gonum.org/v1/gonum/floats"

	"github.com/gmind-go/compute/internal/turns"
)

// A timer takes the samples of one measurement, on rotating sets of operands, and checks
// results.
type timer struct {
	measurement
	turns.Series
	sets *sets

	checking time.Duration // the time that checks took
	wrong    string        // the first difference, or ""
	checked  int           // the number of samples whose result was checked
}

// spent returns the time that all samples took.
func (t *timer) spent() time.Duration { return time.Duration(floats.Sum(t.NS) * float64(t.Calls)) }

// run takes a sample.
func (t *timer) run(calls int) (ns float64, err error) {
	return turns.Time(func() error { return t.call(t.sets.take()) }, 0, calls)
}

// runChecked takes a sample and checks the result of its last call.
func (t *timer) runChecked(calls int) (ns float64, err error) {
	begin, last := time.Now(), t.sets.after(calls)
	if err := t.spoil(last); err != nil {
		return 0, err
	}
	if ns, err = t.run(calls); err != nil {
		return 0, err
	}
	difference, err := t.difference(last)
	if err != nil {
		return 0, err
	}
	if t.wrong == "" {
		t.wrong = difference
	}
	t.checked++
	t.checking += time.Since(begin) - time.Duration(ns*float64(calls))
	return ns, nil
}

// sample takes a sample. It checks the first one, and later ones while the checks so far
// took no longer than the samples.
func (t *timer) sample(calls int) (ns float64, err error) {
	if t.checking > t.spent() {
		return t.run(calls)
	}
	return t.runChecked(calls)
}

// minRuns is the least number of samples before a measurement ends because its median is
// known to the precision, or its time is over.
const minRuns = 12

// done reports whether the median is known to the precision, or the time or the number of
// samples is reached.
func (t *timer) done(c *config) bool {
	switch runs, spent := len(t.NS), t.spent(); {
	case runs >= c.runs:
		return true
	case runs < minRuns:
		return spent > 20*c.time // the device is very slow
	case spent >= c.time:
		return true
	}
	median, low, high := turns.Summarize(t.NS)
	return (high-low)/2 <= c.precision*median
}

// timeAll warms up all timers, takes their samples in turns, and finally checks one more
// result of each. It stops at the end of ctx. It calls progress whenever a timer is done.
func timeAll(ctx context.Context, c *config, timers []*timer, progress func()) error {
	var list []*turns.Series
	for _, t := range timers {
		t.Least, t.Sample = runTime(c), t.run
		if err := t.WarmUp(ctx); err != nil {
			return err
		}
		t.Sample = t.sample
		list = append(list, &t.Series)
	}
	for open := len(timers); open > 0 && ctx.Err() == nil; {
		if err := turns.Round(ctx, list); err != nil {
			return err
		}
		for _, t := range timers {
			if !t.Done && t.done(c) {
				t.Done = true
				open--
				progress()
			}
		}
	}
	for _, t := range timers {
		if ctx.Err() != nil {
			return nil
		}
		if _, err := t.runChecked(t.Calls); err != nil {
			return err
		}
	}
	return nil
}

// runTime returns the least time of a sample. The default number of samples takes about
// c.time.
func runTime(c *config) time.Duration {
	return max(minRun(), min(c.time/defaultRuns, 10*time.Millisecond))
}

const defaultRuns = 100

// minRun returns the shortest time that the clock measures well: it is much longer than
// reading the clock takes, and than the step of the clock, which is half a millisecond on
// Windows.
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
