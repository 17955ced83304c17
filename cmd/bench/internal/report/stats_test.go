package report

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSummarize: the figures of a run that can be counted out.
func TestSummarize(t *testing.T) {
	var times []float64
	for i := range 100 {
		times = append(times, float64(1+i*37%100)) // 1 to 100 in some order
	}
	r := Result{Bytes: 5000, TimesNS: slices.Clone(times)}
	r.Summarize()
	// Of 100 values the 40th and the 61st bound the median with 95 % (Conover, table A3).
	if r.MinNS != 1 || r.MedianNS != 50 || r.P95NS != 95 || r.LowNS != 40 || r.HighNS != 61 || r.GBps != 100 {
		t.Errorf("got %+v", r)
	}
	if !slices.Equal(r.TimesNS, times) {
		t.Error("the order of the runs is lost")
	}
	if spread := r.Spread(); spread != 0.21 {
		t.Errorf("the spread is %v", spread)
	}
	for n := 1; n < 8; n++ {
		r := Result{Bytes: 1, TimesNS: times[:n]}
		r.Summarize()
		if few := n < leastRuns; math.IsInf(r.Spread(), 1) != few {
			t.Errorf("the spread of %d runs is %v", n, r.Spread())
		}
		if r.LowNS != slices.Min(times[:n]) || r.HighNS != slices.Max(times[:n]) {
			t.Errorf("of %d runs the interval is %v to %v", n, r.LowNS, r.HighNS)
		}
	}
}

// TestInterval: the interval holds the median as often as it says, or more often, by
// no more than the step from one rank to the next.
func TestInterval(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{6, 12, 30, 100} {
		const tries = 20000
		held := 0
		for range tries {
			r := Result{TimesNS: make([]float64, n)}
			for i := range r.TimesNS {
				r.TimesNS[i] = math.Exp(rng.NormFloat64()) // of which the median is 1
			}
			r.Summarize()
			if r.LowNS <= 1 && r.HighNS >= 1 {
				held++
			}
		}
		if part := float64(held) / tries; part < Confidence-0.005 || part > 0.985 {
			t.Errorf("of %d runs, the interval holds the median in %v", n, part)
		}
	}
}
