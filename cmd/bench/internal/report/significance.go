package report

import (
	"cmp"
	"slices"

	"golang.org/x/perf/benchmath"
	"gonum.org/v1/gonum/stat/combin"
)

// pValue returns the p-value of the Mann-Whitney U test: the probability that two samples of
// the same distribution differ at least as much. It assumes independent runs.
func pValue(x, y []float64) float64 {
	sample := func(runs []float64) *benchmath.Sample {
		return benchmath.NewSample(slices.Clone(runs), &benchmath.DefaultThresholds)
	}
	return benchmath.AssumeNothing.Compare(sample(x), sample(y)).P
}

// leastP returns the smallest pValue of samples of n and m values, where all values of one
// are below those of the other. The warning of benchmath about few runs covers only samples
// of fewer than 10 values and of equal size.
func leastP(n, m int) float64 { return 2 / combin.GeneralizedBinomial(float64(n+m), float64(n)) }

// holm adjusts the p-values of several tests, so that each can be compared with a level for
// all tests together: S. Holm, "A simple sequentially rejective multiple test procedure",
// Scandinavian Journal of Statistics 6 (1979), 65-70. Package benchmath has no correction.
func holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted := make([]float64, len(p))
	highest := 0.0 // adjusted values never decrease
	for rank, i := range order {
		highest = max(highest, min(float64(len(p)-rank)*p[i], 1))
		adjusted[i] = highest
	}
	return adjusted
}
