package report

import (
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	for n, want := range map[int]string{
		0: "0", 1: "1", 1000: "1000", 1023: "1023", 1 << 10: "1Ki", 1<<10 + 1: "1025",
		3 << 9: "1536", 48 << 10: "48Ki", 1 << 20: "1Mi", 64 << 20: "64Mi", 1 << 30: "1Gi",
	} {
		if got := Count(n); got != want {
			t.Errorf("Count(%d) is %q and should be %q", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for ns, want := range map[float64]string{
		0.25: "0.25 ns", 12: "12 ns", 999: "999 ns", 1000: "1 µs", 12345: "12.35 µs",
		1.5e6: "1.5 ms", 2e9: "2 s", 1.2345e12: "1234 s",
	} {
		if got := Duration(ns); got != want {
			t.Errorf("Duration(%v) is %q and should be %q", ns, got, want)
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

func TestUnits(t *testing.T) {
	for got, want := range map[string]string{
		memory(0):        "not known",
		memory(1000):     "1000 bytes",
		memory(32 << 10): "32 KiB",
		memory(150e9):    "139.7 GiB",
		rate(0.4171):     "0.42",
		rate(3):          "3.00",
		rate(22.53):      "22.5",
		rate(3951.2):     "3951",
	} {
		if got != want {
			t.Errorf("%q should be %q", got, want)
		}
	}
}
