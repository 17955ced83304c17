package report

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestKolmogorov: of large samples, the levels of tables; of small ones, within a
// factor of two of what is exact, or above it.
func TestKolmogorov(t *testing.T) {
	const large = 2_000_000 // for which d * 1000 is what tables give
	for _, test := range []struct{ d, want float64 }{
		{1.2238 / 1000, 0.10}, {1.3581 / 1000, 0.05}, {1.6276 / 1000, 0.01}, {1.9495 / 1000, 0.001}, {0.5 / 1000, 0.9639}, {0, 1},
	} {
		if p := kolmogorov(test.d, large, large); math.Abs(p-test.want) > 0.003*test.want {
			t.Errorf("%v: %v, want %v", test.d, p, test.want)
		}
	}
	for _, size := range [][2]int{{5, 5}, {10, 10}, {15, 15}, {31, 31}, {31, 15}, {51, 51}} {
		n, m := size[0], size[1]
		for d := n; d <= n*m; d++ {
			exact, p := exactKolmogorov(d, n, m), kolmogorov(float64(d)/float64(n*m), n, m)
			possible := exact != exactKolmogorov(d+1, n, m) // by samples of these sizes
			if possible && exact > 1e-9 && exact < 0.05 && (exact > 2.1*p || exact < 0.1*p) {
				t.Errorf("D = %d/(%d*%d): %v, exactly %v", d, n, m, p, exact)
			}
		}
	}
	last := 1.0
	for d := 0.0; d <= 1; d += 0.001 {
		p := kolmogorov(d, 15, 20)
		if !(p >= 0 && p <= last) {
			t.Fatalf("D = %v: %v after %v", d, p, last)
		}
		last = p
	}
}

// TestSameDistribution: of samples of one distribution, no more than the level says
// seem to differ; the order of runs has no say.
func TestSameDistribution(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	sample := func(n int, mean float64) []float64 {
		s := make([]float64, n)
		for i := range s {
			s[i] = math.Exp(random.NormFloat64() + mean)
		}
		return s
	}
	const trials = 2000
	found, missed := 0, 0
	for range trials {
		if sameDistribution(sample(15, 0), sample(21, 0)) <= 0.05 {
			found++
		}
		if sameDistribution(sample(15, 0), sample(21, 2)) > 0.05 {
			missed++
		}
	}
	if found < trials/100 || found > 6*trials/100 || missed > trials/50 {
		t.Errorf("%d of %d that are the same differ at 0.05, %d that are not do not", found, trials, missed)
	}
	x, y := []float64{3, 1, 2, 9}, []float64{5, 4, 8, 7, 6}
	p := sameDistribution(x, y)
	if want := kolmogorov(0.75, 4, 5); p != want {
		t.Errorf("got %v, want %v", p, want)
	}
	if !slices.Equal(x, []float64{3, 1, 2, 9}) {
		t.Errorf("the runs are now %v", x)
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

// exactKolmogorov returns the probability that the distribution functions of samples
// of n and m values, all different, are d/(n*m) apart, or more: of the ways to walk
// from (0, 0) to (n, m), each a merge of the two samples, the part that leaves the
// band about the diagonal.
func exactKolmogorov(d, n, m int) float64 {
	inside := make([]float64, m+1) // the probability that a walk comes to (i, j) and never left
	for i := range n + 1 {
		for j := range m + 1 {
			switch gap := i*m - j*n; {
			case gap >= d || -gap >= d:
				inside[j] = 0
			case i == 0 && j == 0:
				inside[j] = 1
			default: // a walk to (i, j) comes from either side as often as there are ways to get there
				from := inside[j] * float64(i) / float64(i+j)
				if j > 0 {
					from += inside[j-1] * float64(j) / float64(i+j)
				}
				inside[j] = from
			}
		}
	}
	return 1 - inside[m]
}
