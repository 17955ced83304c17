package report

import (
	"bytes"
	"strings"
	"testing"
)

func TestCompareText(t *testing.T) {
	old, new := measured(1, 0.01, runs), measured(1, 0.01, runs)
	old.Results, new.Results = old.Results[:4], new.Results[:3]
	slowed(new, 1.25, isForward)
	slowed(new, 0.5, func(res Result) bool { return res.Op == "backward" })
	new.Results[1].Doubts = []string{"clocks"}
	var text bytes.Buffer
	compare(t, old, new, false).WriteText(&text)
	want := `note: in the new report 1 of 3 results is doubtful; the first: forward 1000
  device cold (cpu avx512): clocks

operation  elements  data   cache      old       new    change       p  verdict
cpu avx512
copy           1000  device cold  1.003 µs  1.003 µs     +0.0%       1  ~
forward        1000  device cold  1.255 µs  1.569 µs    +25.0%   <1e-9  slower!?
backward       1000  device cold  2.007 µs  1.003 µs    -50.0%   <1e-9  faster
! slower by more than 5 %
? one of the results compared is doubtful

in the old report only: copy 1000 device cold (opencl A/B <C> (D))
1 of 3 measurements slower by more than 5 %; worst: forward 1000 device cold
  (cpu avx512), +25.0%
`
	if text.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &text, want)
	}

	text.Reset()
	compare(t, measured(1, 0.01, runs), measured(1, 0.01, runs), true).WriteText(&text)
	for _, line := range []string{
		"note: old and new are fractions of the limit in the same report\n",
		"forward         1Mi  host   cold    94.0 %",
		"\n0 of 10 measurements slower by more than 5 %\n",
	} {
		if !strings.Contains(text.String(), line) {
			t.Errorf("%q is not in %s", line, &text)
		}
	}
}

// TestCompareFits: lines fit a terminal, and lists are bounded.
func TestCompareFits(t *testing.T) {
	old, new := measured(1, 0.01, runs), slowed(measured(2, 0.01, runs), 1000, all)
	for range 6 { // measurements that are not in the other report
		more := measured(3, 0.01, runs).Results
		for i := range more {
			more[i].N += len(old.Results)
			more[i].Device = testGPU + " of a name that is as long as the names of some devices are"
		}
		old.Results = append(old.Results, more...)
	}
	new.Results[0].Doubts = []string{strings.Repeat("long ", 40)}
	new.Environment.CPU = strings.Repeat("many words ", 20)
	for _, relative := range []bool{false, true} {
		var text bytes.Buffer
		compare(t, old, new, relative).WriteText(&text)
		fits(t, text.String())
		_, list, _ := strings.Cut(words(text.String()), "in the old report only: ")
		if names := strings.Count(list, " of a name that is"); names != 20 || !strings.Contains(list, ", and 76 more") {
			t.Errorf("%d names are listed: %s", names, list)
		}
	}
}
