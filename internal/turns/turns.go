// Package turns measures calls in turns. The speed of a machine changes from second to
// second, so calls that are compared take turns: a round is one sample of each.
package turns

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"golang.org/x/perf/benchmath"
)

// A Series is the samples of one call.
type Series struct {
	// Sample makes a number of calls, and returns the time of one in ns.
	Sample func(calls int) (ns float64, err error)

	Least time.Duration // the least time that the calls of a sample should take
	Calls int           // in a sample; 0 means 1
	NS    []float64     // the samples, in the order taken
	Done  bool          // Round takes no more samples
	Err   error         // the error of Sample; Round takes no samples after it
}

// Of returns a Series for each call. A sample makes untimed calls before those that it times.
func Of(untimed int, calls ...func() error) []*Series {
	var list []*Series
	for _, call := range calls {
		list = append(list, &Series{Sample: func(n int) (float64, error) { return Time(call, untimed, n) }})
	}
	return list
}

// Time returns the time of one call in ns: the mean of a number of calls, after a number of
// untimed ones.
func Time(call func() error, untimed, calls int) (ns float64, err error) {
	for range untimed {
		if err := call(); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	for range calls {
		if err := call(); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(start)) / float64(calls), nil
}

const (
	warmUpSamples = 3    // that are long enough, since one or two may be delayed
	warmUpDrift   = 0.05 // largest difference between warm samples, as a fraction of the time
	warmUpTime    = 300 * time.Millisecond
)

// WarmUp sets the number of calls that a sample of s.Least needs, and takes samples until
// one takes as long as the one before, or for warmUpTime. It returns s.Err, and stops at
// the end of ctx.
func (s *Series) WarmUp(ctx context.Context) error {
	s.Calls = 1
	begin, last := time.Now(), 0.0
	for enough := 0; s.Err == nil && ctx.Err() == nil; {
		var ns float64
		ns, s.Err = s.Sample(s.Calls)
		if calls, least := float64(s.Calls), float64(s.Least); ns*calls < least {
			s.Calls = max(s.Calls+1, int(min(1.5*least/ns, 1000*calls)))
			enough, last = 0, 0
			continue
		}
		enough++
		stable := math.Abs(ns-last) <= warmUpDrift*last
		if enough >= warmUpSamples && (stable || time.Since(begin) > warmUpTime) {
			break
		}
		last = ns
	}
	return s.Err
}

// Round takes one sample of each Series that is not done and has no error, in a random
// order, so that none always follows the same one. It returns the first error, and stops at
// the end of ctx.
func Round(ctx context.Context, list []*Series) (err error) {
	for _, i := range rand.Perm(len(list)) {
		if s := list[i]; !s.Done && s.Err == nil {
			s.take(ctx)
			err = cmp.Or(err, s.Err)
		}
	}
	return err
}

// take adds a sample. If it takes far less than s.Least, the warm-up was delayed and set too
// few calls: take drops all samples and doubles the calls.
func (s *Series) take(ctx context.Context) {
	for s.Calls = max(s.Calls, 1); ctx.Err() == nil; s.Calls *= 2 {
		var ns float64
		if ns, s.Err = s.Sample(s.Calls); s.Err != nil {
			return
		}
		if ns*float64(s.Calls) >= float64(s.Least)/2 {
			s.NS = append(s.NS, ns)
			return
		}
		s.NS = nil
	}
}

// Median returns the median of the samples in ns.
func (s *Series) Median() float64 {
	median, _, _ := Summarize(s.NS)
	return median
}

// Confidence is the probability that the interval of Summarize contains the median, if
// samples are independent and there are at least LeastSamples.
const (
	Confidence   = 0.95
	LeastSamples = 6
)

// Summarize returns the median of at least one sample and the bounds of its confidence
// interval: the smallest and the largest sample if there are fewer than LeastSamples.
func Summarize(samples []float64) (median, low, high float64) {
	sorted := benchmath.NewSample(slices.Clone(samples), &benchmath.DefaultThresholds)
	s := benchmath.AssumeNothing.Summary(sorted, Confidence)
	return s.Center, max(s.Lo, sorted.Values[0]), min(s.Hi, sorted.Values[len(samples)-1])
}
