package report

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPValue: the rate of false positives is about the level. The order of runs does not
// matter, and samples of equal values do not differ.
func TestPValue(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	sample := func(n int, mean float64) []float64 {
		s := make([]float64, n)
		for i := range s {
			s[i] = math.Exp(random.NormFloat64() + mean)
		}
		return s
	}
	for _, n := range []int{15, 60} { // exact, and approximated
		const trials = 2000
		found, missed := 0, 0
		for range trials {
			if pValue(sample(n, 0), sample(n+6, 0)) <= 0.05 {
				found++
			}
			if pValue(sample(n, 0), sample(n+6, 2)) > 0.05 {
				missed++
			}
		}
		if found < 3*trials/100 || found > 6*trials/100 || missed > trials/50 {
			t.Errorf("%d runs: %d of %d that are the same differ at 0.05, %d that are not do not", n, found, trials, missed)
		}
	}
	x, y := []float64{3, 1, 2, 9}, []float64{5, 4, 8, 7, 6}
	if p := pValue(x, y); math.Abs(p-36./126) > 1e-12 { // 18 of the 126 orders have U <= 5, and 18 U >= 15
		t.Errorf("p is %v", p)
	}
	if !slices.Equal(x, []float64{3, 1, 2, 9}) {
		t.Errorf("the runs are now %v", x)
	}
	for _, same := range [][]float64{{1, 1}, {}} {
		if p := pValue(same, same); p != 1 {
			t.Errorf("%v: p is %v", same, p)
		}
	}
}

// TestLeastP: samples that do not overlap have it.
func TestLeastP(t *testing.T) {
	for n := 1; n <= 12; n++ {
		for m := 1; m <= 12; m++ {
			var x, y []float64
			for i := range n {
				x = append(x, float64(i))
			}
			for i := range m {
				y = append(y, float64(100+i))
			}
			if got, want := leastP(n, m), pValue(x, y); math.Abs(got-want) > 1e-9*want {
				t.Errorf("%d and %d runs: %v, want %v", n, m, got, want)
			}
		}
	}
}

func TestHolm(t *testing.T) {
	for _, test := range []struct{ p, want []float64 }{
		{nil, []float64{}},
		{[]float64{0.25}, []float64{0.25}},
		{[]float64{0.25, 0.125, 0.5}, []float64{0.5, 0.375, 0.5}},
		{[]float64{0.03125, 0.0625, 0.0625, 0.015625}, []float64{0.09375, 0.125, 0.125, 0.0625}},
		{[]float64{0.03125, 0.0390625, 0.75, 0.015625}, []float64{0.09375, 0.09375, 0.75, 0.0625}},
		{[]float64{0.75, 0.5}, []float64{1, 1}},
	} {
		if got := holm(test.p); !slices.Equal(got, test.want) {
			t.Errorf("%v: %v, want %v", test.p, got, test.want)
		}
	}
}
