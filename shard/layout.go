package shard

import (
	"math"

	"github.com/gmind-go/compute/internal/linear"
)

// A layout places the elements of buffers, and the bits of masks, on members.
type layout struct {
	paces  []pace
	shares []float64 // of the elements on each member, if they are split
	all    pace      // of all members, if they do not hinder each other
}

// A pace is how fast a member is alone, and how much it holds.
type pace struct {
	speed float64 // elements per second, without the time of the call; or a weight
	call  float64 // seconds of an empty call, and to wait for it
	limit int64   // bytes of the longest buffer, or 0 if it is not known
}

// seconds returns how long a call on n elements takes, or +Inf if they do not fit.
func (p pace) seconds(n int) float64 {
	if p.limit > 0 && int64(n) > p.limit/4 {
		return math.Inf(1)
	}
	return p.call + float64(n)/p.speed
}

// newLayout returns a layout over members of these paces, where an empty call to all takes
// call seconds, or 0 to split all buffers.
func newLayout(paces []pace, call float64) layout {
	l := layout{paces: paces, all: pace{call: call}}
	for _, p := range paces {
		l.all.speed += p.speed
	}
	for _, p := range paces {
		share := p.speed / l.all.speed
		l.shares = append(l.shares, share)
		fits := p.limit
		if share < 1 { // two grains are for rounding
			rounding := 2 * 4 * int64(grain(int(min(float64(p.limit)/4/share, 1<<40))))
			fits = int64(min(float64(max(fits-rounding, 0))/share, math.MaxInt64/2))
		}
		if p.limit > 0 && (l.all.limit == 0 || fits < l.all.limit) {
			l.all.limit = fits
		}
	}
	return l
}

// grain returns the number of elements of which parts of n are multiples: the bits in a word of a
// mask, and in long buffers, whose parts differ little for it, the elements of a chunk of a sum.
func grain(n int) int {
	if n < 1<<20 {
		return 64
	}
	return linear.Chunk
}

// parts returns the parts of n elements, none of them empty. All but the last end with a grain.
func (l *layout) parts(n int, members []*member) memory {
	if one := l.alone(n); one >= 0 {
		return memory{{member: members[one], to: n}}
	}
	var m memory
	unit := grain(n)
	grains := float64((n + unit - 1) / unit)
	from, sum := 0, 0.0 // the sum is 1 at the end, but for less than what is rounded
	for i, share := range l.shares {
		sum += share
		to := min(n, unit*int(math.Round(grains*sum)))
		if from < to {
			m = append(m, part{member: members[i], from: from, to: to})
			from = to
		}
	}
	return m
}

// payingCalls is the break-even: work is split only if one member needs at least this many
// times the cost of an empty call to all members. It keeps the overhead below 10 % when
// members share one memory bus, as calls that transfer cost up to three times as much.
const payingCalls = 32

// alone returns the index of the member that has all n elements, or -1 to split them.
func (l *layout) alone(n int) int {
	best, soonest := -1, math.Inf(1)
	for i, p := range l.paces {
		if seconds := p.seconds(n); l.all.call > 0 && seconds < soonest {
			best, soonest = i, seconds
		}
	}
	if soonest >= payingCalls*l.all.call && soonest > l.all.seconds(n) {
		return -1
	}
	return best
}
