package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// A topic is a question that a run answers, in words.
type topic struct {
	Title     string
	Sentences []string
}

// summary returns what the run found out: what each device does and how far that is
// from what it could, then from which size on an OpenCL device is worth it.
func (r *Report) summary() []topic {
	var topics []topic
	opencl := false
	for _, d := range r.Devices {
		opencl = opencl || d.Backend == "opencl"
		topics = append(topics, topic{"What does " + d.Name + " do?", r.speed(d)})
	}
	for _, d := range r.Devices {
		if d.Backend == "opencl" {
			topics = append(topics, topic{"From which size on is " + d.Name + " faster than the CPU?", r.payOff(d)})
		}
	}
	if !opencl {
		topics = append(topics, topic{"Is a GPU faster?", r.noOpenCL()})
	}
	return topics
}

// speed tells how fast the operations of a device are: of the most elements, with the
// data on the device and on the host, and where they are farthest from their limit.
func (r *Report) speed(d Device) []string {
	var list []string
	for _, data := range []string{OnDevice, OnHost} {
		var ops []Result // of the most elements, with cold caches if there are such
		for _, res := range r.Results {
			if res.Device == d.Name && res.Data == data && !isLimit(res.Op) && drawable(res) {
				ops = append(ops, res)
			}
		}
		if len(ops) == 0 {
			continue
		}
		top := slices.MaxFunc(ops, func(a, b Result) int {
			return cmp.Or(cmp.Compare(b.Cache, a.Cache), cmp.Compare(a.N, b.N))
		})
		ops = slices.DeleteFunc(ops, func(res Result) bool { return res.N != top.N || res.Cache != top.Cache })
		var parts []string
		for _, res := range ops {
			parts = append(parts, speedOf(res))
		}
		list = append(list, fmt.Sprintf("%s elements, %s, %s: %s.",
			Count(top.N), dataWords(data), cacheWords(top.Cache), strings.Join(parts, "; ")))
	}
	if worst, ok := r.farthest(d); ok {
		list = append(list, fmt.Sprintf("Farthest from its limit: %s of %s elements, %s, %s: %s of the %s.",
			worst.Op, Count(worst.N), dataWords(worst.Data), cacheWords(worst.Cache), percent(worst.OfLimit), worst.Limit))
	}
	if d.LaunchNS > 0 {
		list = append(list, fmt.Sprintf("No call that is waited for takes less than about %s: a copy of one element does.", Duration(d.LaunchNS)))
	}
	if len(list) == 0 {
		list = []string{"Nothing was measured."}
	}
	return list
}

// speedOf tells one result.
func speedOf(res Result) string {
	s := fmt.Sprintf("%s takes %s, which is %s GB/s", res.Op, Duration(res.MedianNS), rate(res.GBps))
	if res.OfLimit > 0 {
		s += fmt.Sprintf(" and %s of the %s", percent(res.OfLimit), res.Limit)
	}
	if doubtful(res) {
		s += " (doubtful)"
	}
	return s
}

// farthest returns the result of the device that is the least part of its limit, of
// those that are to be believed.
func (r *Report) farthest(d Device) (worst Result, ok bool) {
	for _, res := range r.Results {
		if res.Device == d.Name && res.OfLimit > 0 && !doubtful(res) && (!ok || res.OfLimit < worst.OfLimit) {
			worst, ok = res, true
		}
	}
	return worst, ok
}

func isLimit(op string) bool {
	return slices.Contains([]string{Copy, Upload, Download, Transfer}, op)
}

// payOff tells from which size on the device beats the CPU.
func (r *Report) payOff(d Device) []string {
	type place struct{ data, cache string }
	var places []place
	answers := map[place][]Answer{}
	for _, a := range r.Answers {
		if a.Device != d.Name || len(a.SizesN) == 0 {
			continue
		}
		at := place{a.Data, a.Cache}
		if answers[at] == nil {
			places = append(places, at)
		}
		answers[at] = append(answers[at], a)
	}
	var list []string
	for _, at := range places {
		var parts []string
		for _, a := range answers[at] {
			parts = append(parts, a.Op+" "+from(a))
		}
		what := strings.Join(parts, ", ")
		first := answers[at][0]
		same := func(a Answer) bool { return a.FromN == first.FromN && slices.Equal(a.SizesN, first.SizesN) }
		if len(parts) > 1 && !slices.ContainsFunc(answers[at], func(a Answer) bool { return !same(a) }) {
			what = "every operation " + from(first)
		}
		list = append(list, fmt.Sprintf("With %s, %s: %s.", dataWords(at.data), cacheWords(at.cache), what))
	}
	if len(list) == 0 {
		return []string{"Not known: there is no size at which both it and the CPU were measured."}
	}
	return list
}

// from tells an answer.
func from(a Answer) string {
	if a.FromN > 0 {
		return "from " + Count(a.FromN) + " elements on"
	}
	if len(a.SizesN) == 1 {
		return "never (at " + Count(a.SizesN[0]) + ", the one size measured)"
	}
	return fmt.Sprintf("never (%s to %s measured)", Count(a.SizesN[0]), Count(a.SizesN[len(a.SizesN)-1]))
}

// noOpenCL tells why no OpenCL device was measured.
func (r *Report) noOpenCL() []string {
	why := r.Notes
	if !r.Environment.OpenCL {
		why = append([]string{"This program was built without OpenCL."}, why...)
	}
	if len(why) == 0 {
		why = []string{"It was not asked for."}
	}
	return append([]string{"Not known: no OpenCL device was measured."}, why...)
}

// warnings returns what a reader must know before all else.
func (r *Report) warnings() []string {
	var list []string
	wrong, inDoubt := 0, 0
	for _, res := range r.Results {
		switch {
		case !res.Verified:
			wrong++
		case len(res.Doubts) > 0:
			inDoubt++
		}
	}
	if wrong > 0 {
		list = append(list, fmt.Sprintf("%d of %d results are WRONG: what was computed is not what the reference computes. Do not use this device.", wrong, len(r.Results)))
	}
	if r.Interrupted {
		list = append(list, "The run was interrupted: what follows is not all.")
	}
	if inDoubt > 0 {
		list = append(list, fmt.Sprintf("%d of %d results are doubtful; the table says why, and the diagrams draw them hollow.", inDoubt, len(r.Results)))
	}
	if len(r.Results) == 0 {
		list = append(list, "There are no results: nothing was measured.")
	}
	return list
}
