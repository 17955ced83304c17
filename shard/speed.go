package shard

import (
	"fmt"
	"slices"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
)

// measure measures the members, and changes the layout accordingly.
func (d *device) measure() error {
	n := int64(8 << 20) // more than most caches hold, as buffers do that are worth splitting
	for _, p := range d.layout.paces {
		if p.limit > 0 {
			n = min(n, p.limit/4)
		}
	}
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(i%7) - 3 // of both signs
	}
	defer d.Trim() // so that nothing of this is kept
	paces := slices.Clone(d.layout.paces)
	for i, m := range d.members {
		call, err := seconds(m, values[:min(n, 64)], 0)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		long, err := seconds(m, values, 2*time.Millisecond)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		paces[i].call, paces[i].speed = call, float64(n)/max(long-call, long/2) // calls in a row may overlap
	}
	// Parts are of equal length until now, so these are on all members.
	call, err := seconds(driver.New(d), slices.Repeat([]float32{-1, 1}, 32*len(d.members)), 0)
	if err != nil {
		return fmt.Errorf("all members: %w", err)
	}
	d.layout = newLayout(paces, call)
	return nil
}

// seconds returns how long a call of Forward on values takes b, in rounds of calls that
// take least and end with Sync. It is that of a fast round, since other programs disturb
// some, but not of the fastest, which is an exception for short calls.
func seconds(b compute.Backend, values []float32, least time.Duration) (float64, error) {
	x, err := b.Upload(values)
	if err != nil {
		return 0, err
	}
	defer x.Release()
	y, err := b.Alloc(len(values))
	if err != nil {
		return 0, err
	}
	defer y.Release()
	var rounds []float64
	for calls := 1; len(rounds) < 9; { // the first includes what is done only once
		start := time.Now()
		for range calls {
			if err := b.Forward(compute.LeakyReLU(compute.DefaultNegativeSlope), y, x); err != nil {
				return 0, err
			}
		}
		if err := b.Sync(); err != nil {
			return 0, err
		}
		took := max(time.Since(start), 1)
		rounds = append(rounds, took.Seconds()/float64(calls))
		if took < least {
			calls *= 2
		}
	}
	slices.Sort(rounds)
	return rounds[2], nil
}
