package compute

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// A pace is how fast a member is, alone.
type pace struct {
	speed float64 // elements per second, without the time of the call
	call  float64 // seconds of a call on next to nothing, and to wait for it
	limit int64   // bytes of a buffer at most, or 0 if that is not known
}

// seconds returns how long a call on n elements takes.
func (p pace) seconds(n int) float64 { return p.call + float64(n)/p.speed }

// measure returns the pace of each member.
func measure(members []Backend) ([]pace, error) {
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
	paces := make([]pace, len(members))
	for i, b := range members {
		p, err := measureOne(b, x)
		if err != nil {
			return nil, notMeasured(memberName(i, b), err)
		}
		paces[i] = p
	}
	return paces, nil
}

// measureOne returns the pace of b, by values of both signs.
func measureOne(b Backend, values []float32) (pace, error) {
	defer Trim(b) // which keeps nothing of this
	many, err := forwards(b, values, 8, 2*time.Millisecond)
	if err != nil {
		return pace{}, err
	}
	one, err := forwards(b, values[:min(len(values), 64)], callRounds, 0)
	if err != nil {
		return pace{}, err
	}
	// Of long rounds the fastest is what the device can do. Short ones are disturbed as
	// the calls of a program are, so their median counts.
	long, call := many[0], one[callRounds/2]
	long = max(long-call, long/2) // calls in a row may overlap, so some of it has gone by
	return pace{float64(len(values)) / long, call, b.Info().MaxAlloc}, nil
}

const callRounds = 25

// measureCall returns how many seconds a call on next to nothing takes on some members at
// once.
func measureCall(members []Backend, on []bool) (float64, error) {
	weights, values := make([]float64, len(members)), []float32(nil)
	for i := range members {
		weights[i] = 1
		if on[i] { // a word of a mask for each
			values = append(values, slices.Repeat([]float32{-1, 1}, 32)...)
		}
	}
	s := newShard([]layout{newLayout(weights, on)}, members)
	defer s.Trim()
	times, err := forwards(s, values, callRounds, 0)
	if err != nil {
		return 0, notMeasured("several members", err)
	}
	return times[callRounds/2], nil
}

func notMeasured(what string, err error) error {
	remedy := "; ShardWeighted needs no measurement"
	if errors.Is(err, ErrDevice) || errors.Is(err, ErrClosed) { // nor would that work
		remedy = ""
	}
	return fmt.Errorf("compute: shard: the speed of %s cannot be measured: %w%s", what, err, remedy)
}

// forwards returns how many seconds one call of Forward on values takes b, in each of so
// many rounds, the fastest first. A round is one call, or if that takes less than least as
// many as take so long, up to 64; then one of Sync.
func forwards(b Backend, values []float32, rounds int, least time.Duration) (seconds []float64, err error) {
	x, err := b.Upload(values)
	if err != nil {
		return nil, err
	}
	defer x.Release()
	y, err := b.Alloc(len(values))
	if err != nil {
		return nil, err
	}
	defer y.Release()
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
	if _, err := round(1); err != nil { // what is only done once
		return nil, err
	}
	calls := 1
	for ; calls < 64; calls *= 2 {
		took, err := round(calls)
		if err != nil {
			return nil, err
		}
		if took >= least {
			break
		}
	}
	for range rounds {
		took, err := round(calls)
		if err != nil {
			return nil, err
		}
		seconds = append(seconds, took.Seconds()/float64(calls))
	}
	slices.Sort(seconds)
	return seconds, nil
}
