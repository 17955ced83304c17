package compute

import (
	"fmt"
	"slices"
	"time"
)

// speeds returns how fast each member is, alone, in elements per second.
func speeds(members []Backend) ([]float64, error) {
	// More than most caches hold, as what is worth to be shared is.
	n := int64(8 << 20)
	for _, b := range members {
		if most := b.Info().MaxAlloc / 4; most > 0 {
			n = min(n, most)
		}
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i%7) - 3
	}
	list := make([]float64, len(members))
	for i, b := range members {
		speed, err := speed(b, x)
		if err != nil {
			return nil, fmt.Errorf("compute: shard: the speed of %s cannot be measured: %w; ShardWeighted needs no measurement", memberName(i, b), err)
		}
		list[i] = speed
	}
	return list, nil
}

// speed returns how many elements b computes in a second: the median of some rounds,
// each long enough for what it costs to begin and to end not to count.
func speed(b Backend, values []float32) (float64, error) {
	const (
		rounds = 5
		least  = 2 * time.Millisecond // of a round
		most   = 64                   // calls in a round
	)
	x, err := b.Upload(values)
	if err != nil {
		return 0, err
	}
	y, err := b.Alloc(len(values))
	if err == nil {
		defer Trim(b) // which keeps nothing of this
		defer y.Release()
	}
	defer x.Release()
	round := func(calls int) (time.Duration, error) {
		start := time.Now()
		for range calls {
			if err := b.Forward(LeakyReLU(DefaultNegativeSlope), y, x); err != nil {
				return 0, err
			}
		}
		err := b.Sync()
		return max(time.Since(start), 1), err
	}
	if err == nil {
		_, err = round(1) // what is only done once
	}
	calls := 1
	for ; err == nil && calls < most; calls *= 2 {
		var took time.Duration
		if took, err = round(calls); took >= least {
			break
		}
	}
	times := make([]time.Duration, rounds)
	for i := range times {
		if err == nil {
			times[i], err = round(calls)
		}
	}
	if err != nil {
		return 0, err
	}
	slices.Sort(times)
	return float64(calls) * float64(len(values)) / times[rounds/2].Seconds(), nil
}
