package report

import "testing"

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
