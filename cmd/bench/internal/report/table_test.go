package report

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

// fits checks that text fits a terminal of 80 columns.
func fits(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

// words returns text with single spaces for spaces and line ends.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }

// TestTableFits: whatever is measured, lines fit a terminal, and columns stand below one
// another.
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

func TestWrap(t *testing.T) {
	long := strings.Repeat("x", 90)
	for text, want := range map[string]string{
		"":                                      "",
		"  short":                               "  short",
		"a\u00a0b":                              "a b",
		long:                                    long,
		"  " + long + " y":                      "  " + long + "\n> y",
		strings.Repeat("é", 78) + " a":          strings.Repeat("é", 78) + " a",
		strings.Repeat("é", 78) + " ab":         strings.Repeat("é", 78) + "\n> ab",
		strings.Repeat("é", 78) + " a\u00a0b c": strings.Repeat("é", 78) + "\n> a b c",
	} {
		if got := Wrap(text, "> "); got != want {
			t.Errorf("%q is %q, want %q", text, got, want)
		}
	}
}

// TestSingular: one of something is told as that.
func TestSingular(t *testing.T) {
	for got, want := range map[string]string{
		Plural(1, "run"):   "1 run",
		Plural(0, "run"):   "0 runs",
		Elements(1):        "1 element",
		Elements(64 << 20): "64Mi elements",
		ofResults(1, 1):    "1 of 1 result is",
		ofResults(1, 2):    "1 of 2 results is",
		ofResults(2, 2):    "2 of 2 results are",
	} {
		if got != want {
			t.Errorf("%q should be %q", got, want)
		}
	}
}
