package shard

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
)

// measure measures the members, and places buffers accordingly.
func (d *device) measure() (err error) {
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
	measured := func(name string, b compute.Backend, n int, calls int) float64 {
		if err != nil {
			return 0
		}
		var s float64
		if s, err = seconds(b, values[:min(n, len(values))], calls); err != nil {
			remedy := "; shard.Weighted needs no measurement"
			if errors.Is(err, compute.ErrDevice) || errors.Is(err, compute.ErrClosed) { // it would fail too
				remedy = ""
			}
			err = fmt.Errorf("compute: shard: the speed of %s cannot be measured: %w%s", name, err, remedy)
		}
		return s
	}
	paces := slices.Clone(d.layout.paces)
	for i, m := range d.members {
		call, long := measured(m.name, m, 64, 1), measured(m.name, m, len(values), 4)
		paces[i].call = call
		paces[i].speed = float64(n) / max(long-call, long/2) // calls in a row may overlap
		compute.Trim(m)                                      // which keeps nothing of this
	}
	// Parts are of equal length until now, so these are on all members.
	call := measured("all members", driver.New(d), 64*len(d.members), 1)
	d.Trim()
	d.layout = newLayout(paces, call)
	return err
}

// seconds returns how long a call of Forward on values takes b, one of several before it
// waits. It measures that some times and returns a short one, as other programs disturb
// some, but not the shortest, which is an exception for short calls.
func seconds(b compute.Backend, values []float32, calls int) (float64, error) {
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
	var times []float64
	for range 9 { // the first includes what is done only once
		start := time.Now()
		for range calls {
			if err := b.Forward(compute.LeakyReLU(compute.DefaultNegativeSlope), y, x); err != nil {
				return 0, err
			}
		}
		if err := b.Sync(); err != nil {
			return 0, err
		}
		times = append(times, max(time.Since(start), 1).Seconds()/float64(calls))
	}
	slices.Sort(times)
	return times[len(times)/4], nil
}
