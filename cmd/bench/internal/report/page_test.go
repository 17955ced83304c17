package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/gmind-go/compute/internal/units"
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

// TestRows: each result is a row with all its fields, in order.
func TestRows(t *testing.T) {
	r := sample(t)
	r.Results[5].Verified = false
	product := &r.Results[7]
	product.Bytes, product.Flop = 0, 1e9
	product.Summarize()
	page := html(t, r)
	rows := strings.Split(page, `<tr data-device=`)[1:]
	if len(rows) != len(r.Results) {
		t.Fatalf("%d rows of %d results", len(rows), len(r.Results))
	}
	for i, res := range r.Results {
		row, _, _ := strings.Cut(rows[i], "</tr>")
		want := []string{
			fmt.Sprintf(`"%s" data-op="%s" data-n="%d" data-data="%s" data-cache="%s"`, res.Device, res.Op, res.N, res.Data, res.Cache),
			`<th scope="row">` + res.Op + "</th>", ">" + units.Count(res.N) + "<", ">" + units.Duration(res.MedianNS) + "<", ">" + units.Duration(res.MinNS) + "<", ">" + units.Duration(res.P95NS) + "<",
			">" + units.Duration(res.LowNS) + " – " + units.Duration(res.HighNS) + "<", ">" + speedCell(res) + "<", `<td class="number">7</td>`,
		}
		if res.EventNS > 0 {
			want = append(want, ">"+units.Duration(res.EventNS)+"<")
		}
		if res.OfLimit > 0 {
			want = append(want, percent(res.OfLimit)+" of "+res.Limit+"<", "width: "+bar(res.OfLimit)+"%")
		}
		want = append(want, res.Doubts...)
		for _, want := range want {
			if !strings.Contains(row, want) {
				t.Errorf("row %d does not have %q: %s", i, want, row)
			}
		}
		if wrong := strings.Contains(row, "WRONG"); wrong == res.Verified {
			t.Errorf("row %d: verified is %v: %s", i, res.Verified, row)
		}
	}
}

// TestEscapes: text from drivers, files and the command line is escaped.
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

// TestAlone: the page loads no other file, and has no scripts.
func TestAlone(t *testing.T) {
	page := html(t, sample(t))
	for _, not := range []string{"<script", "<link", "<img", "@import", "url(", "src=", " href=", "<?xml"} {
		if strings.Contains(page, not) {
			t.Errorf("the page has %s", not)
		}
	}
	for tag, n := range map[string]int{"<svg": 5, "<figure": 5, "aria-label=": 5, "<table": 5, "<caption": 4, `<th scope="col"`: 13, `<th scope="rowgroup"`: 2} {
		if got := strings.Count(page, tag); got != n {
			t.Errorf("the page has %d of %s and should have %d", got, tag, n)
		}
	}
	if n, th := strings.Count(page, "<th "), strings.Count(page, "<th scope="); n != th {
		t.Errorf("%d of %d headers of tables have a scope", th, n)
	}
	if want := "Line chart of cpu avx512, data on the device, cold caches: GB/s by number of elements. copy: 22.5 at 1Ki, 261 at 64Mi. forward: 22.0 at 1Ki, 256 at 64Mi."; !strings.Contains(page, want) {
		t.Errorf("no diagram is described as %q", want)
	}
}

func TestPageWords(t *testing.T) {
	for got, want := range map[string]string{
		speedCell(Result{GBps: 12.345}):             "12.3",
		speedCell(Result{Flop: 8e9, GFlops: 123.4}): "123 GFLOP/s",
		bar(1.5):   "100.0",
		bar(0.333): "33.3",
		command([]string{"bench", "-n", "1Ki,64Mi", "-input", "it's a file.npy", ""}): `bench -n 1Ki,64Mi -input 'it'\''s a file.npy' ''`,
	} {
		if got != want {
			t.Errorf("%q should be %q", got, want)
		}
	}
}
