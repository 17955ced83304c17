package compute

import (
	"cmp"
	"math"
	"slices"

	"github.com/gmind-go/compute/internal/check"
)

// A layout is where the elements of a buffer lie, or the bits of a mask.
type layout struct {
	least int       // elements of a buffer that lies so
	ends  []float64 // of each member: the share of the elements on it and those before it
}

// newLayout returns the layout of buffers of least elements or more on some members, with
// parts in proportion to weights, one for each member.
func newLayout(least int, weights []float64, on []bool) layout {
	var most, sum float64
	for i, w := range weights {
		if on[i] {
			most = max(most, w)
		}
	}
	l := layout{least, make([]float64, len(weights))}
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

// payingCalls is how many calls on nothing the elements should take at least that lie on
// several members. So a tenth of the time at most goes by because all are called.
const payingCalls = 10

// measuredLayouts measures the members, and returns the layouts on them: first that on the
// member which does short work soonest, then each on one more, that begins where this pays,
// or where the one before can hold no more.
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
	on, sum := make([]bool, len(paces)), 0.0
	var layouts []layout
	for k, i := range order {
		on[i] = true
		sum += speeds[i]
		least := 0.0
		if k > 0 {
			call, err := measureCall(members, on)
			if err != nil {
				return nil, err
			}
			least = payingCalls * call * sum
			before := layouts[k-1]
			for j, p := range paces {
				if fits := before.maxAlloc(j, p.limit); p.limit > 0 && before.share(j) > 0 {
					least = min(least, float64(fits/4+1))
				}
			}
		}
		layouts = append(layouts, newLayout(int(min(least, math.MaxInt32)), speeds, on)) // which an int holds
	}
	return layouts, nil
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
