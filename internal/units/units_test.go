package units

import (
	"fmt"
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

func TestElements(t *testing.T) {
	if got := Elements(1) + ", " + Elements(64<<20); got != "1 element, 64Mi elements" {
		t.Errorf("got %s", got)
	}
}

func TestDigits(t *testing.T) {
	for v, want := range map[float64]string{
		0.4171: "0.417", 0.99951: "1.00", 3: "3.00", 9.996: "10.0", 22.53: "22.5", 99.96: "100", 3951.2: "3951",
	} {
		if got := Digits(v); got != want {
			t.Errorf("Digits(%v) is %q and should be %q", v, got, want)
		}
	}
}

func TestParseCounts(t *testing.T) {
	for list, want := range map[string]string{
		"16Mi,7,64Ki,7":        "[7 65536 16777216] <nil>",
		"1k":                   `[] "1k" should be digits alone, or followed by Ki, Mi or Gi`,
		"1,,2":                 `[] "" is not a number of elements, such as 1024, 64Ki or 16Mi`,
		"0":                    `[] "0" should be at least 1`,
		"16385Ki":              `[] "16385Ki" is too large; the most is 16Mi elements`,
		"18446744073709551617": `[] "18446744073709551617" is too large; the most is 16Mi elements`,
	} {
		counts, err := ParseCounts(list, 16<<20)
		if got := fmt.Sprint(counts, err); got != want {
			t.Errorf("%q is %s, want %s", list, got, want)
		}
	}
}
