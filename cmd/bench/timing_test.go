package main

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestWarmUp: what gets faster is not timed before it is as fast as it gets. The clock
// is that of the test.
func TestWarmUp(t *testing.T) {
	var c config
	c.flags()
	minRun() // reads the clock until it has moved on, which that of the test does not
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		slow := func(*set) error {
			calls++
			time.Sleep(time.Duration(8+3*max(0, 9-calls)) * time.Millisecond) // 32, 29, ... 11, 8, 8
			return nil
		}
		tm := &timer{measurement: measurement{call: slow}, sets: &sets{list: make([]set, 1)}}
		if err := tm.warmUp(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if calls != 10 {
			t.Errorf("warm after %d calls, want 10: the last two take as long as each other", calls)
		}
	})
}
