package report

import (
	"math"
	"testing"
)

// TestSummarize: known quantiles and intervals.
func TestSummarize(t *testing.T) {
	r := Result{Bytes: 5050}
	for i := range 100 {
		r.TimesNS = append(r.TimesNS, float64(1+i*37%100)) // 1 to 100 in some order
		r.Summarize()
		if few := i+1 < 6; math.IsInf(r.Spread(), 1) != few {
			t.Errorf("the spread of %d runs is %v", i+1, r.Spread())
		}
	}
	// Of 100 values the 40th and the 60th bound the median with 95 %.
	if r.MinNS != 1 || r.MedianNS != 50.5 || r.P95NS != 95 || r.LowNS != 40 || r.HighNS != 60 || r.GBps != 100 {
		t.Errorf("got %+v", r)
	}
	if spread := r.Spread(); spread != 10/50.5 {
		t.Errorf("the spread is %v", spread)
	}
}
