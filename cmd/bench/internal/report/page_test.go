package report

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// html returns the page of a run.
func html(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestRows: each result is a row, in order, with all that is known of it.
func TestRows(t *testing.T) {
	r := sample(t)
	r.Results[5].Verified = false
	page := html(t, r)
	rows := strings.Split(page, `<tr data-device=`)[1:]
	if len(rows) != len(r.Results) {
		t.Fatalf("%d rows of %d results", len(rows), len(r.Results))
	}
	for i, res := range r.Results {
		row, _, _ := strings.Cut(rows[i], "</tr>")
		want := []string{
			fmt.Sprintf(`"%s" data-op="%s" data-n="%d" data-data="%s" data-cache="%s"`, res.Device, res.Op, res.N, res.Data, res.Cache),
			`<th scope="row">` + res.Op + "</th>", ">" + Count(res.N) + "<", ">" + Duration(res.MedianNS) + "<", ">" + Duration(res.MinNS) + "<", ">" + Duration(res.P95NS) + "<",
			">" + Duration(res.LowNS) + " – " + Duration(res.HighNS) + "<", ">" + rate(res.GBps) + "<", `<td class="number">7</td>`,
		}
		if res.EventNS > 0 {
			want = append(want, ">"+Duration(res.EventNS)+"<")
		}
		if res.OfLimit > 0 {
			want = append(want, percent(res.OfLimit)+" of "+res.Limit+"<", "width: "+bar(res.OfLimit)+"%")
		}
		want = append(want, res.Doubts...)
		for _, want := range want {
			if !strings.Contains(row, want) {
				t.Errorf("row %d does not say %q: %s", i, want, row)
			}
		}
		if wrong := strings.Contains(row, "WRONG"); wrong == res.Verified {
			t.Errorf("row %d: verified is %v: %s", i, res.Verified, row)
		}
	}
}

// TestEscapes: what comes from drivers, files and the command line is text and never
// part of the page.
func TestEscapes(t *testing.T) {
	r := sample(t)
	const evil = `"'><script>alert(1)</script><b a='`
	for i := range r.Devices {
		d := &r.Devices[i]
		d.Name += evil
		d.Vendor, d.Platform, d.Driver, d.Kind, d.Members = evil, evil, evil, evil, []string{evil}
	}
	for i := range r.Results {
		res := &r.Results[i]
		res.Device += evil
		res.Doubts = []string{evil}
		if res.Limit != "" {
			res.Limit += evil
		}
		res.Op += evil
	}
	for i := range r.Answers {
		r.Answers[i].Device += evil
		r.Answers[i].Op += evil
	}
	r.Activation, r.Input, r.Notes, r.Command = evil, evil, []string{evil}, []string{evil}
	r.Environment = Environment{Go: evil, OS: evil, Arch: evil, CPU: evil, Commit: evil, Loader: evil, Drivers: []string{evil}, Settings: []string{evil}}
	page := html(t, r)
	if strings.Contains(page, "<script") || strings.Contains(page, "<b a=") {
		t.Error("the page has an element that is a name of a device")
	}
	if n := strings.Count(page, "&lt;script&gt;"); n < 500 {
		t.Errorf("the page has %d escaped names", n)
	}
}

// TestAlone: the page asks for nothing from elsewhere, and runs nothing.
func TestAlone(t *testing.T) {
	page := html(t, sample(t))
	for _, not := range []string{"<script", "<link", "<img", "@import", "url(", "src=", " href=", "<?xml"} {
		if strings.Contains(page, not) {
			t.Errorf("the page has %s", not)
		}
	}
	for tag, n := range map[string]int{"<svg": 10, "<figure": 5, "aria-label=": 5, "<table": 5, "<caption": 4, `<th scope="col"`: 13, `<th scope="rowgroup"`: 2} {
		if got := strings.Count(page, tag); got != n {
			t.Errorf("the page has %d of %s and should have %d", got, tag, n)
		}
	}
	if n, th := strings.Count(page, "<th "), strings.Count(page, "<th scope="); n != th {
		t.Errorf("%d of %d headers of tables have a scope", th, n)
	}
	if want := "Line chart of cpu avx512, data on the device, cold caches: GB/s over the number of elements. copy: 22.5 at 1Ki, 261 at 64Mi. forward: 22.0 at 1Ki, 256 at 64Mi."; !strings.Contains(page, want) {
		t.Errorf("no diagram is described as %q", want)
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
			"What does cpu avx512 do?", "64Mi elements, data on the device, cold caches:", "forward: 256_GB/s, 98_% of the copy (2.097_ms)",
			"64Mi elements, data on the host, both ways included, cold caches:", "backward: 22.3_GB/s, 97_% of the transfer (36.14_ms)",
			"Farthest from its limit: backward of 64Mi elements, data on the device, cold caches, with 93_% of the copy.",
			"waited for, takes 8.7_µs.",
			"From which size on is opencl NVIDIA H200 faster than the CPU?",
			"Data on the device, cold caches:|every operation: from 256Ki elements on",
			"Data on the device, warm caches:|every operation: never (1Ki to 256Ki measured)",
			"Data on the host, both ways included, cold caches:|every operation: never (1Ki to 64Mi measured)",
		}, []string{"is a GPU faster?", "WRONG", "interrupted"}},
		"operations differ": {func(r *Report) { r.Answers[0].FromN, r.Answers[4].SizesN = 4<<20, []int{1 << 10} }, []string{
			"forward: from 4Mi elements on|derivative: from 256Ki elements on", "derivative: never (only 1Ki measured)",
		}, nil},
		"one size": {func(r *Report) { r.Answers[0].FromN, r.Answers[0].SizesN = 0, []int{1 << 10} }, []string{"forward: never (only 1Ki measured)"}, nil},
		"no OpenCL device": {func(r *Report) {
			r.Devices, r.Notes = r.Devices[:1], []string{"not measured: gpu: no OpenCL platform: install a driver", "opencl x: 1Gi elements not measured"}
		}, []string{"From which size on is a GPU faster?", "Never, here: no OpenCL device can be measured, so the CPU is what there is:|not measured: gpu: no OpenCL platform: install a driver"}, nil},
		"CPU alone":          {func(r *Report) { r.Devices, r.Notes = r.Devices[:1], nil }, []string{"Not known: only the CPU was asked for."}, []string{"Never"}},
		"interrupted before": {func(r *Report) { r.Devices, r.Notes, r.Interrupted = r.Devices[:1], nil, true }, []string{"Not known: the run was interrupted before"}, []string{"Never"}},
		"no CPU":             {func(r *Report) { r.Devices, r.Answers = r.Devices[1:], nil }, []string{"Not known: there is no size at which both it and the CPU were measured."}, nil},
		"nothing":            {func(r *Report) { r.Results, r.Devices[0].LaunchNS = nil, 0 }, []string{"There are no results", "Nothing was measured."}, []string{"are doubtful"}},
		"warnings": {func(r *Report) { r.Interrupted, r.Results[0].Verified, r.Results[1].Verified = true, false, false }, []string{
			"2 of 98 results are WRONG", "The run was interrupted",
		}, nil},
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
					t.Errorf("%q is not said in\n%s", want, all)
				}
			}
			for _, not := range c.not {
				if strings.Contains(all, not) {
					t.Errorf("%q is said in\n%s", not, all)
				}
			}
			if page := html(t, r); !strings.Contains(page, r.summary()[0].Question) {
				t.Error("the page is without the answers")
			}
		})
	}
}

func TestWords(t *testing.T) {
	for got, want := range map[string]string{
		memory(0):        "not known",
		memory(1000):     "1000 bytes",
		memory(32 << 10): "32 KiB",
		memory(150e9):    "139.7 GiB",
		rate(0.4171):     "0.42",
		rate(3):          "3.00",
		rate(22.53):      "22.5",
		rate(3951.2):     "3951",
		bar(1.5):         "100.0",
		bar(0.333):       "33.3",
		command([]string{"bench", "-n", "1Ki,64Mi", "-input", "it's a file.npy", ""}): `bench -n 1Ki,64Mi -input 'it'\''s a file.npy' ''`,
	} {
		if got != want {
			t.Errorf("%q should be %q", got, want)
		}
	}
}
