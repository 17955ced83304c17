package report

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// sharing returns the sample as if its GPU shared the host's memory, so that Stream is
// compared with the copy.
func sharing(t *testing.T) *Report {
	r := sample(t)
	for i := range r.Results {
		res := &r.Results[i]
		if res.Data != OnHost || res.Limit == "" || res.Op == "backward" {
			continue
		}
		res.Limit = Copy
		for _, c := range r.Results {
			if c.Op == Copy && c.Device == res.Device && c.Cache == res.Cache && c.N == res.N {
				res.OfLimit = c.MedianNS / res.MedianNS
			}
		}
	}
	return r
}

// TestPanelLimits: each panel draws the limit that a percentage in its legend refers to, and
// the ratio of the two curves is that percentage.
func TestPanelLimits(t *testing.T) {
	compared := 0
	r := sharing(t)
	for _, p := range r.panels() {
		for _, c := range p.curves {
			for _, res := range c.results {
				if res.OfLimit == 0 || res.Bytes != 8*res.N { // for others, a launch is not proportional
					continue
				}
				var of []float64
				for _, roof := range p.roofs {
					for _, limit := range roof.results {
						if limit.Op == res.Limit && limit.N == res.N {
							of = append(of, res.GBps/limit.GBps)
						}
					}
				}
				if len(of) != 1 || math.Abs(of[0]-res.OfLimit) > 0.001 {
					t.Errorf("%s, %s: %s of %d elements is %v of its limit %s, and drawn at %v of it", p.device, p.place, res.Op, res.N, res.OfLimit, res.Limit, of)
				}
				compared++
			}
		}
	}
	if compared < 40 {
		t.Errorf("%d points compared", compared)
	}
	got := texts(t, r)
	for _, want := range []string{"copy", "transfer", "backward 97–100 % of transfer", "forward 97–98 %"} {
		if !slices.Contains(got, want) {
			t.Errorf("the drawing does not say %q: %q", want, got)
		}
	}
	if !slices.ContainsFunc(got, func(s string) bool { return strings.HasPrefix(s, "forward ") && strings.HasSuffix(s, " % of copy") }) {
		t.Errorf("the legend of host data does not name the copy: %q", got)
	}
	if slices.Contains(got, "transfer = 100 %") {
		t.Error("the transfer is labelled as the limit of all")
	}
}
