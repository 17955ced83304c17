package report

import "slices"

// Ask returns the answers that the results give: for every OpenCL device, operation
// and place of the data, from which size on the device beats the CPU. Large sizes
// are cold alone, and count for Warm too.
func (r *Report) Ask() []Answer {
	answers := []Answer{}
	cpu := slices.IndexFunc(r.Devices, func(d Device) bool { return d.Backend == "cpu" })
	if cpu < 0 {
		return answers
	}
	for _, d := range r.Devices {
		if d.Backend == "cpu" {
			continue
		}
		for _, data := range []string{OnDevice, OnHost} {
			for _, cache := range []string{Cold, Warm} {
				if !slices.ContainsFunc(r.Results, func(res Result) bool { return res.Cache == cache }) {
					continue
				}
				for _, op := range r.ops() {
					a := Answer{Device: d.Name, CPU: r.Devices[cpu].Name, Op: op, Data: data, Cache: cache}
					if a.find(r.Results); len(a.SizesN) > 0 {
						answers = append(answers, a)
					}
				}
			}
		}
	}
	return answers
}

// ops returns the operations that are no limits, in the order measured.
func (r *Report) ops() []string {
	var names []string
	for _, res := range r.Results {
		if !isLimit(res.Op) && !slices.Contains(names, res.Op) {
			names = append(names, res.Op)
		}
	}
	return names
}

// find sets FromN and SizesN by results.
func (a *Answer) find(results []Result) {
	at := func(device, data string, n int) *Result {
		var found *Result
		for i, r := range results {
			if r.Device == device && r.Op == a.Op && r.Data == data && r.N == n && (r.Cache == a.Cache || found == nil && r.Cache == Cold) {
				found = &results[i]
			}
		}
		return found
	}
	wins := map[int]bool{}
	for _, r := range results {
		theirs, ours := at(a.CPU, OnDevice, r.N), at(a.Device, a.Data, r.N)
		if theirs == nil || ours == nil || slices.Contains(a.SizesN, r.N) {
			continue
		}
		a.SizesN = append(a.SizesN, r.N)
		// Apart by more than the intervals, and to be believed.
		wins[r.N] = ours.HighNS < theirs.LowNS && !doubtful(*ours) && !doubtful(*theirs)
	}
	slices.Sort(a.SizesN)
	for _, n := range slices.Backward(a.SizesN) {
		if !wins[n] {
			return
		}
		a.FromN = n
	}
}
