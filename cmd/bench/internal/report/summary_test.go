package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// TestWriteSummary: the answers in words.
func TestWriteSummary(t *testing.T) {
	var text bytes.Buffer
	r := faced([]float64{1, 2, 4, 8}, []float64{3, 3, 3, 3}, []float64{9, 9, 9, 9})
	r.WriteSummary(&text)
	for _, want := range []string{
		"\nHow fast is cpu x?\n", "\nFrom which size on is opencl y faster than the CPU?\n",
		"    forward: from 4Ki elements on\n", "    forward: never (1Ki to 8Ki measured)\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing: %s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "\u00a0") {
		t.Error("there are characters that not every terminal shows")
	}
	text.Reset()
	r.Devices, r.Notes = r.Devices[:1], []string{NotMeasured + "no driver"}
	r.Answers = r.Ask()
	r.WriteSummary(&text)
	if !strings.HasSuffix(text.String(), "Never on this machine, since no OpenCL device can be measured:\n    not measured: gpu: no driver\n") {
		t.Errorf("got %s", text.String())
	}
	text.Reset()
	(&Report{}).WriteSummary(&text)
	if text.Len() > 0 {
		t.Errorf("without results it writes %s", text.String())
	}
}

// TestSummary: the answers in words.
func TestSummary(t *testing.T) {
	for name, c := range map[string]struct {
		change    func(*Report)
		want, not []string
	}{
		"all": {func(r *Report) {}, []string{
			"1 of 98 results is doubtful",
			"How fast is cpu avx512?", "64Mi elements, data on the device, cold caches:", "forward: 256_GB/s, 98_% of the copy (2.097_ms)",
			"64Mi elements, data on the host, transfers included, cold caches:", "backward: 22.3_GB/s, 97_% of the transfer (36.14_ms)",
			"Farthest from its limit: backward of 64Mi elements, data on the device, cold caches, with 93_% of the copy.",
			"Sync, takes 8.7_µs.",
			"From which size on is opencl NVIDIA H200 faster than the CPU?",
			"Data on the device, cold caches:|every operation: from 256Ki elements on",
			"Data on the device, warm caches:|every operation: never (1Ki to 256Ki measured)",
			"Data on the host, transfers included, cold caches:|every operation: never (1Ki to 64Mi measured)",
		}, []string{"is a GPU faster?", "WRONG", "interrupted"}},
		"operations differ": {func(r *Report) { r.Answers[0].FromN, r.Answers[4].SizesN = 4<<20, []int{1 << 10} }, []string{
			"forward: from 4Mi elements on|derivative: from 256Ki elements on", "derivative: never (only 1Ki measured)",
		}, nil},
		"one size": {func(r *Report) { r.Answers[0].FromN, r.Answers[0].SizesN = 0, []int{1 << 10} }, []string{"forward: never (only 1Ki measured)"}, nil},
		"no OpenCL device": {func(r *Report) {
			r.Devices, r.Notes = r.Devices[:1], []string{"not measured: gpu: no OpenCL platform: install a driver", "opencl x: 1Gi elements not measured"}
		}, []string{"From which size on is a GPU faster?", "Never on this machine, since no OpenCL device can be measured:|not measured: gpu: no OpenCL platform: install a driver"}, nil},
		"CPU alone":          {func(r *Report) { r.Devices, r.Notes = r.Devices[:1], nil }, []string{"Not known: only the CPU was asked for."}, []string{"Never"}},
		"interrupted before": {func(r *Report) { r.Devices, r.Notes, r.Interrupted = r.Devices[:1], nil, true }, []string{"Not known: the run was interrupted before"}, []string{"Never"}},
		"no CPU":             {func(r *Report) { r.Devices, r.Answers = r.Devices[1:], nil }, []string{"Not known: there is no size at which both it and the CPU were measured."}, nil},
		"nothing":            {func(r *Report) { r.Results, r.Devices[0].LaunchNS = nil, 0 }, []string{"There are no results", "Nothing was measured."}, []string{"are doubtful"}},
		"warnings": {func(r *Report) { r.Interrupted, r.Results[0].Verified, r.Results[1].Verified = true, false, false }, []string{
			"2 of 98 results are WRONG", "The run was interrupted",
		}, nil},
		"products": {func(r *Report) {
			for i := range r.Results {
				if res := &r.Results[i]; res.Op == "forward" {
					res.Op, res.Limit, res.Bytes, res.Flop = "matmul", Peak, 0, 1e9
					res.Summarize()
				}
			}
		}, []string{"matmul: 477_GFLOP/s, 98_% of the fma (2.097_ms)", "derivative: "}, []string{"forward"}},
		"no limit": {func(r *Report) {
			r.Results = slices.DeleteFunc(r.Results, func(res Result) bool { return res.Limit == "" })
			for i := range r.Results {
				r.Results[i].OfLimit = 0
			}
		}, []string{"forward: 256_GB/s (2.097_ms)"}, []string{"Farthest"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := sample(t)
			c.change(r)
			all := strings.Join(r.warnings(), "\n")
			for _, topic := range r.summary() {
				all += "\n" + topic.Question
				for _, s := range topic.Answers {
					all += "\n" + s.Text + "|" + strings.Join(s.Items, "|")
				}
			}
			all = strings.ReplaceAll(all, "\u00a0", "_")
			for _, want := range c.want {
				if !strings.Contains(all, want) {
					t.Errorf("%q is not in\n%s", want, all)
				}
			}
			for _, not := range c.not {
				if strings.Contains(all, not) {
					t.Errorf("%q is in\n%s", not, all)
				}
			}
			if page := html(t, r); !strings.Contains(page, r.summary()[0].Question) {
				t.Error("the page is without the answers")
			}
		})
	}
}
