package report

import (
	"bytes"
	"strings"
	"testing"
)

// TestTableFits: lines fit on a terminal, and columns are aligned, for any results.
func TestTableFits(t *testing.T) {
	r := sample(t)
	long := r.Results[0]
	long.Op, long.Data, long.N = "derivative", OnHost, 1<<30+1
	long.MedianNS, long.MinNS, long.LowNS, long.HighNS, long.EventNS = 123.4e9, 99.99e6, 1, 500e9, 999.9e3
	long.GBps, long.OfLimit = 12345.6, 12.34
	wrong, doubtful := long, long
	wrong.Verified = false
	doubtful.Doubts = []string{"faster than the device copies, for which it takes 123.4 µs, which cannot be"}
	r.Results = append(r.Results, long, wrong, doubtful)
	r.Devices[1].Name = strings.Repeat("opencl of many words ", 8)
	for _, bars := range []bool{false, true} {
		var text bytes.Buffer
		table := Table{W: &text, Bars: bars}
		for _, d := range r.Devices {
			table.Device(d)
		}
		for _, res := range r.Results {
			table.Rows([]Result{res})
		}
		r.Interrupted = true
		r.WriteSummary(&text)
		fits(t, text.String())
		for _, want := range []string{"  elements              median      ±       min    events     GB/s  of limit\n",
			"    derivative, host   123.4 s   203%  99.99 ms  999.9 µs    12346  1234 %", "  WRONG\n"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%q is not in %s", want, &text)
			}
		}
		if strings.Contains(text.String(), "█") != bars {
			t.Errorf("bars are %v, but: %s", bars, &text)
		}
	}
}

// TestTable: aligned columns, and wrong and doubtful results.
func TestTable(t *testing.T) {
	results := []Result{
		timed(Copy, OnDevice, "", 8<<20, 100e3),
		timed("forward", OnDevice, Copy, 8<<20, 200e3),
		timed("forward", OnHost, Transfer, 8<<20, 1),
	}
	Relate(results, Device{})
	results[1].EventNS = 190e3
	results[2].Doubts, results[2].Verified = []string{"too fast"}, false
	var text bytes.Buffer
	table := Table{W: &text, Bars: true}
	table.Device(Device{Name: "gpu"})
	table.Rows(results)
	want := `
gpu
  elements              median      ±       min    events     GB/s  of limit
  1Mi, 
    copy                100 µs   0.0%    100 µs              83.89
    forward             200 µs   0.0%    200 µs    190 µs    41.94   50 % ███
    forward, host         1 ns   0.0%      1 ns                  ?  WRONG
      ? 8.389e+06 GB/s is implausible: too fast
`
	if text.String() != want {
		t.Errorf("got %s\nwant %s", text.String(), want)
	}
	for part, bar := range map[float64]string{0: "", 0.5: "██", 0.51: "██", 0.6: "██▍", 1: "████", 1.7: "████", -1: ""} {
		if got := textBar(part, 4); got != bar {
			t.Errorf("a bar of %v is %q, want %q", part, got, bar)
		}
	}
}
