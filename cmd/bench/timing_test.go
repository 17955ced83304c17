package main

import (
	"testing"
	"time"

	"github.com/gmind-go/compute/internal/turns"
)

// TestFirstRunIsChecked: the result of a single run is checked, also if an earlier run was
// too short to count.
func TestFirstRunIsChecked(t *testing.T) {
	calls := 0
	m := &timer{sets: &sets{list: []set{{results: make([]operand, 1)}}}, measurement: measurement{
		call: func(*set) error {
			if calls++; calls > 1 {
				time.Sleep(minRun())
			}
			return nil
		},
		check: oneResult{write: func(*set) error { time.Sleep(time.Millisecond); return nil }},
	}}
	m.Least, m.Sample = minRun(), m.sample
	if err := turns.Round(t.Context(), []*turns.Series{&m.Series}); err != nil || len(m.NS) != 1 {
		t.Fatal(err, m.NS)
	}
	if calls < 2 || m.checked != 1 {
		t.Errorf("after %d calls and one run that counts, %d results were compared", calls, m.checked)
	}
}
