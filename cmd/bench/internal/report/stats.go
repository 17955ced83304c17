package report

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Summarize sets what follows from r.TimesNS, of which there is one at least, and from
// r.Bytes.
func (r *Result) Summarize() {
	sorted := slices.Sorted(slices.Values(r.TimesNS))
	r.MinNS = sorted[0]
	r.MedianNS = stat.Quantile(0.5, stat.Empirical, sorted, nil)
	r.P95NS = stat.Quantile(0.95, stat.Empirical, sorted, nil)
	low, high := medianRanks(len(sorted))
	r.LowNS, r.HighNS = sorted[low], sorted[high]
	r.GBps = float64(r.Bytes) / r.MedianNS
}

// Spread returns the half-width of the interval that holds the median, as a part of
// it; infinite where the runs are too few for an interval.
func (r *Result) Spread() float64 {
	if len(r.TimesNS) < leastRuns {
		return math.Inf(1)
	}
	return (r.HighNS - r.LowNS) / 2 / r.MedianNS
}

// leastRuns is the least number of runs whose smallest and largest times hold the
// median with Confidence: all are on one side of it with a probability of 2/2^6.
const leastRuns = 6

// medianRanks returns which of n sorted values bound the interval that holds the
// median with Confidence, whatever the distribution; the first and the last if n is
// too small for that. The number of values below the median is binomial (Conover,
// Practical Nonparametric Statistics, 3rd edition, 1999, section 3.2).
func medianRanks(n int) (low, high int) {
	below := distuv.Binomial{N: float64(n), P: 0.5}
	for low+1 < n/2 && 2*below.CDF(float64(low+1)) <= 1-Confidence {
		low++
	}
	return low, n - 1 - low
}
