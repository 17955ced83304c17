package report

import (
	"cmp"
	"slices"

	"golang.org/x/perf/benchmath"
	"gonum.org/v1/gonum/stat/combin"
)

// pValue returns the probability that two samples of one distribution differ as much as
// these, or more, by the Mann-Whitney U test. It assumes independent runs.
func pValue(x, y []float64) float64 {
	sample := func(runs []float64) *benchmath.Sample {
		return benchmath.NewSample(slices.Clone(runs), &benchmath.DefaultThresholds)
	}
	return benchmath.AssumeNothing.Compare(sample(x), sample(y)).P
}

// leastP returns the smallest pValue of samples of n and m values, when all of one are
// below all of the other. The warning of benchmath about few runs covers only samples of
// fewer than 10 values, and takes both to be of the same size.
func leastP(n, m int) float64 { return 2 / combin.GeneralizedBinomial(float64(n+m), float64(n)) }

// holm adjusts the p-values of several tests, so that each can be compared with a level
// for all of them together: S. Holm, "A simple sequentially rejective multiple test
// procedure", Scandinavian Journal of Statistics 6 (1979), 65-70. Package benchmath
// compares one pair of samples only.
func holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted := make([]float64, len(p))
	highest := 0.0 // a difference that is not significant leaves none after it
	for rank, i := range order {
		highest = max(highest, min(float64(len(p)-rank)*p[i], 1))
		adjusted[i] = highest
	}
	return adjusted
}
