package report

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// sameDistribution returns the probability that two samples of one distribution
// differ as much as these do, or more: the two-sample Kolmogorov-Smirnov test, which
// asks for no kind of distribution, only for independent runs.
func sameDistribution(x, y []float64) float64 {
	x, y = slices.Sorted(slices.Values(x)), slices.Sorted(slices.Values(y))
	return kolmogorov(stat.KolmogorovSmirnov(x, nil, y, nil), len(x), len(y))
}

// kolmogorov returns the probability that the distribution functions of two samples
// of n and m values of one distribution are d apart, or more: the asymptotic series
// with the correction for small samples of M. A. Stephens, "Use of the
// Kolmogorov-Smirnov, Cramér-von Mises and related statistics without extensive
// tables", Journal of the Royal Statistical Society B 32 (1970), 115-122, as in
// W. H. Press et al., Numerical Recipes, section 14.3:
//
//	2 * sum over j >= 1 of (-1)^(j-1) exp(-2 j² l²), l = d * (s + 0.12 + 0.11/s), s = sqrt(n*m/(n+m))
//
// From 5 runs on, where that is below 0.05, it is no less than about half of what is
// exact.
func kolmogorov(d float64, n, m int) float64 {
	s := math.Sqrt(float64(n) * float64(m) / float64(n+m))
	l := d * (s + 0.12 + 0.11/s)
	if l < 0.2 { // the sum is 1 to 12 digits, and slow to converge
		return 1
	}
	sum, sign := 0.0, 1.0
	for j := 1.0; j <= 30; j++ { // exp(-2*30²*0.2²) is 0 beside 1
		sum += sign * math.Exp(-2*j*j*l*l)
		sign = -sign
	}
	return min(2*sum, 1)
}

// holm makes of the probabilities of several tests those that may each be compared
// with a level that holds for all tests together: S. Holm, "A simple sequentially
// rejective multiple test procedure", Scandinavian Journal of Statistics 6 (1979),
// 65-70.
func holm(p []float64) []float64 {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(p[a], p[b]) })
	adjusted := make([]float64, len(p))
	highest := 0.0 // one that is kept keeps all above it
	for rank, i := range order {
		highest = max(highest, min(float64(len(p)-rank)*p[i], 1))
		adjusted[i] = highest
	}
	return adjusted
}
