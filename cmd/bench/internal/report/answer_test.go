package report

import "testing"

// faced returns a report of a CPU and a GPU with the times of forward at 1Ki, 2Ki, 4Ki and so
// on.
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
		{[]float64{1, 2, 4, 8}, []float64{3, 1, 5, 3}, 8 * Ki}, // faster once is not enough
		{[]float64{1, 2, 4, 8}, []float64{0.5, 1, 2, 4}, Ki},
		{[]float64{1, 2, 4, 8}, []float64{3, 1, 3, 8}, 0}, // not faster at the largest size
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

	// A doubtful result, or a difference within the intervals, does not count.
	r := faced([]float64{2, 4}, []float64{1, 2}, nil)
	r.Results[3].Doubts = []string{"too fast"}
	if a := r.Ask(); a[0].FromN != 0 {
		t.Errorf("a doubtful result counts: %+v", a)
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

// TestAskWarm: sizes that fit in the caches give answers for both states, and large sizes
// count for both.
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
