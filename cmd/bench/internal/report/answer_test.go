package report

import (
	"bytes"
	"strings"
	"testing"
)

// faced returns a report of a CPU and a GPU, with forward taking so long at 1Ki, 2Ki,
// 4Ki and so on.
func faced(cpu, gpu, host []float64) *Report {
	r := &Report{Devices: []Device{{Name: "cpu x", Backend: "cpu", Kind: "cpu"}, {Name: "opencl y", Backend: "opencl", Kind: "gpu"}}}
	add := func(device, data string, times []float64) {
		for i, ns := range times {
			if ns > 0 {
				res := timed("forward", data, Copy, 8<<10<<i, ns)
				res.Device, res.Cache = device, Cold
				r.Results = append(r.Results, res)
			}
		}
	}
	add("cpu x", OnDevice, cpu)
	add("opencl y", OnDevice, gpu)
	add("opencl y", OnHost, host)
	r.Answers = r.Ask()
	return r
}

func TestAsk(t *testing.T) {
	const Ki = 1 << 10
	for _, test := range []struct {
		cpu, gpu []float64
		want     int // elements; 0 is never
	}{
		{[]float64{1, 2, 4, 8}, []float64{3, 3, 3, 3}, 4 * Ki},
		{[]float64{1, 2, 4, 8}, []float64{3, 1, 5, 3}, 8 * Ki}, // not from where it wins once
		{[]float64{1, 2, 4, 8}, []float64{0.5, 1, 2, 4}, Ki},
		{[]float64{1, 2, 4, 8}, []float64{3, 1, 3, 8}, 0}, // not at the largest; as fast is not faster
		{[]float64{1, 2, 4, 8}, []float64{3, 1, 3, 0}, 2 * Ki},
		{[]float64{1}, []float64{2}, 0},
		{[]float64{2}, []float64{1}, Ki},
	} {
		r := faced(test.cpu, test.gpu, nil)
		if len(r.Answers) != 1 || r.Answers[0].FromN != test.want {
			t.Errorf("%v against %v: %+v, want %d", test.gpu, test.cpu, r.Answers, test.want)
		}
	}
	if r := faced([]float64{1, 2}, []float64{0.5, 1}, []float64{10, 10}); len(r.Answers) != 2 || r.Answers[0].FromN != Ki || r.Answers[1].Data != OnHost || r.Answers[1].FromN != 0 {
		t.Errorf("with data on the host: %+v", r.Answers)
	}
	if r := faced(nil, []float64{1}, nil); len(r.Answers) != 0 {
		t.Errorf("without the CPU: %+v", r.Answers)
	}

	// What is not to be believed, or within the intervals, is no win.
	r := faced([]float64{2, 4}, []float64{1, 2}, nil)
	r.Results[3].Doubts = []string{"too fast"}
	if a := r.Ask(); a[0].FromN != 0 {
		t.Errorf("a figure in doubt counts: %+v", a)
	}
	r = faced([]float64{2, 4}, []float64{1, 2}, nil)
	r.Results[3].Verified = false
	if a := r.Ask(); a[0].FromN != 0 {
		t.Errorf("a wrong result counts: %+v", a)
	}
	r = faced([]float64{2, 4}, []float64{1, 2}, nil)
	r.Results[3].HighNS = 5
	if a := r.Ask(); a[0].FromN != 0 {
		t.Errorf("a difference within the intervals counts: %+v", a)
	}
}

// TestAskWarm: what fits the caches is answered for both states, and large sizes count
// for both.
func TestAskWarm(t *testing.T) {
	r := faced([]float64{4, 8}, []float64{3, 7}, nil)
	warm := faced([]float64{2}, []float64{3}, nil)
	for i := range warm.Results {
		warm.Results[i].Cache = Warm
	}
	r.Results = append(r.Results, warm.Results...)
	r.Answers = r.Ask()
	if len(r.Answers) != 2 || r.Answers[0].FromN != 1<<10 || r.Answers[1].Cache != Warm || r.Answers[1].FromN != 2<<10 {
		t.Errorf("got %+v", r.Answers)
	}
}

// TestWriteSummary: the answers in words.
func TestWriteSummary(t *testing.T) {
	var text bytes.Buffer
	r := faced([]float64{1, 2, 4, 8}, []float64{3, 3, 3, 3}, []float64{9, 9, 9, 9})
	r.WriteSummary(&text)
	for _, want := range []string{
		"\nWhat does cpu x do?\n", "\nFrom which size on is opencl y faster than the CPU?\n",
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
	if !strings.HasSuffix(text.String(), "Never, here: no OpenCL device can be measured, so the CPU is what there is:\n    not measured: gpu: no driver\n") {
		t.Errorf("got %s", text.String())
	}
	text.Reset()
	(&Report{}).WriteSummary(&text)
	if text.Len() > 0 {
		t.Errorf("of nothing it tells %s", text.String())
	}
}

// TestTable: columns that line up, and what is wrong or in doubt.
func TestTable(t *testing.T) {
	results := []Result{
		timed(Copy, OnDevice, "", 8<<20, 100e3),
		timed("forward", OnDevice, Copy, 8<<20, 200e3),
		timed("forward", OnHost, Transfer, 8<<20, 1),
	}
	Relate(results, Device{})
	results[1].EventNS = 190e3
	results[2].Doubts, results[2].Verified = []string{"too fast"}, false
	var text bytes.Buffer
	table := Table{W: &text, Bars: true}
	table.Device(Device{Name: "gpu"})
	table.Rows(results)
	want := `
gpu
  elements              median      ±       min    events     GB/s  of limit
  1Mi, 
    copy                100 µs   0.0%    100 µs              83.89
    forward             200 µs   0.0%    200 µs    190 µs    41.94   50 % ███
    forward, host         1 ns   0.0%      1 ns                  ?  WRONG
      ? 8.389e+06 GB/s is not to be believed: too fast
`
	if text.String() != want {
		t.Errorf("got %s\nwant %s", text.String(), want)
	}
	for part, bar := range map[float64]string{0: "", 0.5: "██", 0.51: "██", 0.6: "██▍", 1: "████", 1.7: "████", -1: ""} {
		if got := Bar(part, 4); got != bar {
			t.Errorf("a bar of %v is %q, want %q", part, got, bar)
		}
	}
}
