package compute

import (
	"cmp"
	"math"
	"slices"

	"github.com/gmind-go/compute/internal/check"
)

// A layout is where the elements of a buffer lie, or the bits of a mask.
type layout struct {
	ends []float64 // of each member: the share of the elements on it and those before it

	// If it was measured:
	several bool    // on several members
	call    float64 // seconds of a call on next to nothing
	speed   float64 // elements per second, of members that do not hinder each other
	holds   int     // elements of the longest buffer that can lie so, as far as is known
}

// newLayout returns a layout on some members, with parts in proportion to weights, one for
// each member.
func newLayout(weights []float64, on []bool) layout {
	var most, sum float64
	for i, w := range weights {
		if on[i] {
			most = max(most, w)
		}
	}
	l := layout{ends: make([]float64, len(weights)), holds: math.MaxInt}
	for i, w := range weights {
		if on[i] {
			sum += w / most // which is finite
		}
		l.ends[i] = sum
	}
	for i := range l.ends {
		l.ends[i] /= sum // 1 at the last
	}
	return l
}

// measuredLayouts measures the members, and returns layouts on each of them alone, then on
// the two that are the fastest on short buffers, on the three, and so on.
func measuredLayouts(members []Backend) ([]layout, error) {
	paces, err := measure(members)
	if err != nil {
		return nil, err
	}
	order, speeds := make([]int, len(paces)), make([]float64, len(paces))
	for i, p := range paces {
		order[i], speeds[i] = i, p.speed
	}
	slices.SortStableFunc(order, func(i, j int) int {
		return cmp.Compare(paces[i].seconds(minSent), paces[j].seconds(minSent))
	})
	var layouts []layout
	add := func(on []bool, call float64) {
		l := newLayout(speeds, on)
		l.call = call
		for i, p := range paces {
			if !on[i] {
				continue
			}
			l.speed += p.speed
			if p.limit > 0 {
				l.holds = int(min(int64(l.holds), l.maxAlloc(i, p.limit)/4))
			}
		}
		layouts = append(layouts, l)
	}
	for i, p := range paces {
		on := make([]bool, len(paces))
		on[i] = true
		add(on, p.call)
	}
	on := make([]bool, len(paces))
	for k, i := range order {
		on[i] = true
		if k == 0 {
			continue
		}
		call, err := measureCall(members, on)
		if err != nil {
			return nil, err
		}
		add(on, call)
		layouts[len(layouts)-1].several = true
	}
	return layouts, nil
}

// payingCalls is how many calls on nothing, of several members, one member should take at
// least before its work is divided among them. Members may share the memory that bounds
// them, as those on one machine do. Then to call others brings nothing, and so costs a
// tenth at most, for calls that transfer cost up to three times as much.
const payingCalls = 32

// layout returns where n elements lie: as is the fastest, of layouts that can hold them, if
// several members pay. If none can, all are to try.
func (s *shard) layout(n int) layout {
	best := s.layouts[len(s.layouts)-1]
	one, fastest := math.Inf(1), math.Inf(1) // seconds
	for _, l := range s.layouts {
		seconds := l.call + float64(n)/l.speed
		if n > l.holds || l.several && payingCalls*l.call > one || seconds >= fastest {
			continue
		}
		best, fastest = l, seconds
		if !l.several { // these come first
			one = seconds
		}
	}
	return best
}

// share returns the share of the elements on member i.
func (l layout) share(i int) float64 {
	if i == 0 {
		return l.ends[0]
	}
	return l.ends[i] - l.ends[i-1]
}

// part returns the elements of n that lie on member i: those from one index to
// another. It ends with a word of a mask.
func (l layout) part(n, i int) (from, to int) {
	cut := func(end float64) int {
		return min(n, 64*int(math.Round(float64(check.Words(n))*end)))
	}
	if i > 0 {
		from = cut(l.ends[i-1])
	}
	return from, cut(l.ends[i])
}

// holders returns the indices of the members on which some of n elements lie.
func (l layout) holders(n int) []int {
	var list []int
	for i := range l.ends {
		if from, to := l.part(n, i); from < to {
			list = append(list, i)
		}
	}
	return list
}

// maxAlloc returns the bytes of the largest buffer of which no more than limit bytes
// lie on member i. That is less one word of a mask, by which a part may be longer.
func (l layout) maxAlloc(i int, limit int64) int64 {
	const word = 64 * 4 // bytes of the elements
	share := l.share(i)
	if share == 1 {
		return limit
	}
	words := float64(max(limit/word-1, 0)) / share
	return word * int64(min(words, math.MaxInt64/word/2))
}
