package report

import "slices"

// Ask returns the answers that the results give: for every OpenCL device, operation and
// place of the data, from which size on the device is faster than the CPU. Large sizes are
// measured cold only, and count for Warm too.
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
		for _, at := range places {
			if !slices.ContainsFunc(r.Results, func(res Result) bool { return res.Cache == at.cache }) {
				continue
			}
			for _, op := range r.ops() {
				a := Answer{Device: d.Name, CPU: r.Devices[cpu].Name, Op: op, Data: at.data, Cache: at.cache}
				if r.answer(&a); len(a.SizesN) > 0 {
					answers = append(answers, a)
				}
			}
		}
	}
	return answers
}

// ops returns the operations that are not limits, in the order measured.
func (r *Report) ops() []string {
	var names []string
	for _, res := range r.Results {
		if !isLimit(res.Op) && !slices.Contains(names, res.Op) {
			names = append(names, res.Op)
		}
	}
	return names
}

// answer sets FromN and SizesN.
func (r *Report) answer(a *Answer) {
	at := func(device, data string, n int) *Result {
		if found := r.find(key{device, a.Op, place{data, a.Cache}, n}); found != nil {
			return found
		}
		return r.find(key{device, a.Op, place{data, Cold}, n})
	}
	wins := map[int]bool{}
	for _, res := range r.Results {
		theirs, ours := at(a.CPU, OnDevice, res.N), at(a.Device, a.Data, res.N)
		if theirs == nil || ours == nil || slices.Contains(a.SizesN, res.N) {
			continue
		}
		a.SizesN = append(a.SizesN, res.N)
		// By more than the intervals, and not doubtful.
		wins[res.N] = ours.HighNS < theirs.LowNS && !doubtful(*ours) && !doubtful(*theirs)
	}
	slices.Sort(a.SizesN)
	for _, n := range slices.Backward(a.SizesN) {
		if !wins[n] {
			return
		}
		a.FromN = n
	}
}
