package report

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// sharded returns a report of a Shard of two devices, one of them three times as fast as the
// other. Forward takes the Shard the first time at 1Ki elements, and twice the second at 2Ki.
func sharded(shard, longer float64) *Report {
	r := &Report{Devices: []Device{
		{Name: "opencl x", Backend: "opencl"}, {Name: "opencl x #2", Backend: "opencl"},
		{Name: "shard (opencl x + opencl x)", Backend: "shard", Members: []string{"opencl x", "opencl x #2"}},
	}}
	add := func(device, op, data string, bytes int, ns float64) {
		res := timed(op, data, Copy, bytes, ns)
		res.Device, res.Cache, res.Verified = device, Cold, true
		r.Results = append(r.Results, res)
	}
	for i, shard := range []float64{shard, longer} {
		bytes, scale := 8<<10<<i, float64(int(1)<<i)
		for _, data := range []string{OnDevice, OnHost} {
			add("opencl x", "forward", data, bytes, 30*scale)
			add("opencl x #2", "forward", data, bytes, 90*scale)
		}
		add("shard (opencl x + opencl x)", "forward", OnDevice, bytes, shard*scale)
	}
	return r
}

// TestScaling: the Shard is compared with the sum of its members, at each size.
func TestScaling(t *testing.T) {
	scaling := func(r *Report) (words []string) {
		for _, topic := range r.summary() {
			if strings.HasSuffix(topic.Question, " scale?") {
				if topic.Question != "How well does shard (opencl x + opencl x) scale?" {
					t.Errorf("the question is %q", topic.Question)
				}
				for _, s := range topic.Answers {
					words = append(append(words, broken(s.Text)), s.Items...)
				}
			}
		}
		return words
	}
	// The members together are 4 times as fast as the slower one: 22.5.
	words := scaling(sharded(22.5, 45))
	if len(words) != 3 || !strings.Contains(words[0], "sum of the speeds of its 2 members, each measured alone.") ||
		!strings.Contains(words[0], "can reach 100 %.") || !strings.Contains(words[0], "reach 50 %, the speed of one.") ||
		words[1] != "Data on the device, cold caches:" || broken(words[2]) != "forward: 100 % at 1Ki, 50 % at 2Ki" {
		t.Errorf("got %q", words)
	}

	// Products, which are measured in GFLOP/s.
	r := sharded(22.5, 45)
	for i := range r.Results {
		res := &r.Results[i]
		res.Op, res.Bytes, res.Flop = "matmul", 0, float64(res.Bytes)
		res.Summarize()
	}
	if words := scaling(r); len(words) != 3 || broken(words[2]) != "matmul: 100 % at 1Ki, 50 % at 2Ki" {
		t.Errorf("of products: %q", words)
	}

	// Missing and doubtful results of a member are not compared.
	r = sharded(22.5, 45)
	r.Results = slices.DeleteFunc(r.Results, func(res Result) bool { return res.Device == "opencl x #2" && res.N == 1<<10 })
	if words := scaling(r); len(words) != 3 || broken(words[2]) != "forward: 50 % at 2Ki" {
		t.Errorf("with one member missing at 1Ki: %q", words)
	}
	for i := range r.Results {
		if r.Results[i].Device == "opencl x" {
			r.Results[i].Doubts = []string{"too fast"}
		}
	}
	if words := scaling(r); len(words) != 1 || !strings.HasPrefix(words[0], "Not known") {
		t.Errorf("with a doubtful member: %q", words)
	}
	if r.Devices = r.Devices[:2]; scaling(r) != nil {
		t.Errorf("without a Shard: %q", scaling(r))
	}
}

// TestScalingInPage: the page has the text of the summary, and the members.
func TestScalingInPage(t *testing.T) {
	r := sharded(22.5, 45)
	page := html(t, r)
	var text bytes.Buffer
	r.WriteSummary(&text)
	for _, want := range []string{"forward: 100 % at 1Ki, 50 % at 2Ki", "From which size on is shard (opencl x + opencl x) faster than the CPU?"} {
		// The page escapes + in what it quotes.
		if plain := broken(strings.ReplaceAll(page, "&#43;", "+")); !strings.Contains(plain, want) || !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing in the page or the summary: %s", want, text.String())
		}
	}
	if !strings.Contains(page, "<td>opencl x, opencl x #2</td>") {
		t.Error("the page does not name the members")
	}
}
