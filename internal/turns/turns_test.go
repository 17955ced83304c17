package turns

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestWarmUp: a call that becomes faster is warm when it takes as long as before, or after
// some time. The clock is fake.
func TestWarmUp(t *testing.T) {
	const ms = time.Millisecond
	for _, test := range []struct {
		name           string
		took           func(call int) time.Duration // the first is 1
		least          time.Duration
		samples, calls int
	}{
		{"32, 29, ... 11, 8, 8 ms", func(call int) time.Duration { return time.Duration(8+3*max(0, 9-call)) * ms }, ms, 10, 1},
		{"steady", func(int) time.Duration { return 8 * ms }, 8 * ms, 3, 1},
		{"never steady", func(call int) time.Duration { return time.Duration(50+50*(call%2)) * ms }, 0, 5, 1},
		{"3 calls for a sample", func(int) time.Duration { return 8 * ms }, 20 * ms, 1 + 3, 3},
		{"1000 times as many at most", func(int) time.Duration { return 8 * time.Microsecond }, 20 * ms, 2 + 3, 3750},
		{"delayed at first", func(call int) time.Duration { return max(9-time.Duration(call), 1) * 10 * ms }, 40 * ms, 6 + 1 + 3, 4},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				call, samples := 0, 0
				one := func() error { call++; time.Sleep(test.took(call)); return nil }
				s := &Series{Least: test.least, Sample: func(calls int) (float64, error) { samples++; return Time(one, 0, calls) }}
				if err := s.WarmUp(t.Context()); err != nil || samples != test.samples || s.Calls != test.calls || s.NS != nil {
					t.Errorf("%v, %d samples of %d calls at last, want %d of %d", err, samples, s.Calls, test.samples, test.calls)
				}
			})
		})
	}
}

// TestTime: the mean does not include the untimed calls.
func TestTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var took time.Duration
		call := func() error { took += time.Second; time.Sleep(took); return nil }
		if ns, err := Time(call, 2, 3); ns != 4e9 || err != nil { // of 3, 4 and 5 s
			t.Errorf("%v, %v", ns, err)
		}
		list := Of(1, call, call)
		if err := Round(t.Context(), list); err != nil || len(list) != 2 || max(list[0].Median(), list[1].Median()) != 9e9 {
			t.Errorf("%v, %+v", err, list)
		}
	})
	failed := errors.New("failed")
	for _, untimed := range []int{0, 1} {
		if _, err := Time(func() error { return failed }, untimed, 1); err != failed {
			t.Errorf("%d untimed: %v", untimed, err)
		}
	}
}

// TestRound: every round takes one sample of each Series that is not done, in random order.
func TestRound(t *testing.T) {
	var order, list = "", []*Series{}
	failed := errors.New("failed")
	for i, name := range []string{"a", "b", "c", "d"} {
		list = append(list, &Series{Sample: func(calls int) (float64, error) {
			order += name
			if name == "d" && len(order) > 40 {
				return 0, failed
			}
			return float64(i*calls + 1), nil
		}})
	}
	orders := map[string]bool{}
	for round := range 10 {
		from := len(order)
		if err := Round(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		orders[order[from:]] = true
		if len(list[3].NS) != round+1 || list[3].Calls != 1 {
			t.Fatalf("round %d: %+v", round, list[3])
		}
	}
	if len(orders) == 1 { // by chance once in 24^9
		t.Errorf("every round has the order %v", orders)
	}
	list[0].Done = true
	if err := Round(t.Context(), list); err != failed || list[3].Err != failed || len(list[0].NS) != 10 || len(list[1].NS) != 11 || len(list[3].NS) != 10 {
		t.Errorf("%v, %+v", err, list)
	}
	if err := Round(t.Context(), list); err != nil || len(list[1].NS) != 12 {
		t.Errorf("without the one that failed: %v, %+v", err, list[1])
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := Round(ended, list); err != nil || len(list[1].NS) != 12 {
		t.Errorf("in a context that has ended: %v, %+v", err, list[1])
	}
}

// TestTooShort: samples with too few calls are dropped.
func TestTooShort(t *testing.T) {
	s := &Series{Least: 40, Calls: 5, NS: []float64{9, 9}, Sample: func(int) (float64, error) { return 1.5, nil }}
	if err := Round(t.Context(), []*Series{s}); err != nil || s.Calls != 20 || !slices.Equal(s.NS, []float64{1.5}) {
		t.Errorf("%v, %+v", err, s)
	}
}

// TestSummarize: known medians and intervals, in any order of the samples.
func TestSummarize(t *testing.T) {
	for n, want := range map[int][3]float64{
		1: {1, 1, 1}, 2: {1.5, 1, 2}, 5: {3, 1, 5},
		6: {3.5, 1, 6}, 7: {4, 1, 7}, 9: {5, 2, 8}, 12: {6.5, 3, 10}, // by tables of the sign test
	} {
		var samples []float64
		for i := range n {
			samples = append(samples, float64(1+(i+n/2)%n))
		}
		kept := slices.Clone(samples)
		median, low, high := Summarize(samples)
		if got := [3]float64{median, low, high}; got != want {
			t.Errorf("%d samples: %v, want %v", n, got, want)
		}
		if !slices.Equal(samples, kept) {
			t.Errorf("the order of %d samples is lost", n)
		}
	}
}

// TestInterval: the interval contains the median with the probability Confidence, or a
// little more, since ranks are discrete.
func TestInterval(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{LeastSamples, 12, 30, 100} {
		const tries = 5000
		held := 0
		for range tries {
			samples := make([]float64, n)
			for i := range samples {
				samples[i] = math.Exp(rng.NormFloat64()) // of which the median is 1
			}
			if _, low, high := Summarize(samples); low <= 1 && high >= 1 {
				held++
			}
		}
		if part := float64(held) / tries; part < Confidence-0.005 || part > 0.985 {
			t.Errorf("of %d samples, the interval contains the median in %v", n, part)
		}
	}
}
