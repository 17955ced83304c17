package report

import (
	"strings"
	"testing"
)

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
		Plural(1, "run"): "1 run",
		Plural(0, "run"): "0 runs",
		ofResults(1, 1):  "1 of 1 result is",
		ofResults(1, 2):  "1 of 2 results is",
		ofResults(2, 2):  "2 of 2 results are",
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
	} {
		if got != want {
			t.Errorf("%q should be %q", got, want)
		}
	}
}
