package main

import (
	"testing"
	"time"
)

// TestWarmUp: what gets faster is not timed before it is as fast as it gets.
func TestWarmUp(t *testing.T) {
	var c config
	c.flags()
	calls := 0
	slow := func(*set) error {
		calls++
		if calls <= 12 { // and at first much slower, by less from call to call
			time.Sleep(time.Duration(24-2*calls) * 10 * time.Millisecond)
		} else {
			time.Sleep(10 * time.Millisecond)
		}
		return nil
	}
	tm := &timer{measurement: measurement{call: slow}, sets: &sets{list: make([]set, 1)}}
	if err := tm.warmUp(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if calls < warmUpRuns+1 {
		t.Errorf("warm after %d calls", calls)
	}
}
