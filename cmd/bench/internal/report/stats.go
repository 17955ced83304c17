package report

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/gmind-go/compute/internal/turns"
)

// Confidence is the probability that [LowNS, HighNS] of a Result contains the median, if
// runs are independent.
const Confidence = turns.Confidence

// Summarize sets the fields that follow from r.TimesNS, which must not be empty, and
// r.Bytes or r.Flop.
func (r *Result) Summarize() {
	sorted := slices.Sorted(slices.Values(r.TimesNS))
	r.MinNS, r.P95NS = sorted[0], stat.Quantile(0.95, stat.Empirical, sorted, nil)
	r.MedianNS, r.LowNS, r.HighNS = turns.Summarize(r.TimesNS)
	r.GBps, r.GFlops = float64(r.Bytes)/r.MedianNS, r.Flop/r.MedianNS
}

// Spread returns the half-width of the confidence interval as a fraction of the median, or
// +Inf if there are too few runs.
func (r *Result) Spread() float64 {
	if len(r.TimesNS) < turns.LeastSamples {
		return math.Inf(1)
	}
	return (r.HighNS - r.LowNS) / 2 / r.MedianNS
}
