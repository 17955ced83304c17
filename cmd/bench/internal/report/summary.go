package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gmind-go/compute/internal/units"
)

// A topic is a question and its answer in words.
type topic struct {
	Question string
	Answers  []statement
}

// A statement is a sentence, or a heading of items.
type statement struct {
	Text  string
	Items []string
}

// summary returns the results in words: how fast each device is and how close that is to its
// limits, how well a Shard scales, and from which size on a device is faster than the CPU.
func (r *Report) summary() []topic {
	var topics []topic
	opencl := false
	for _, d := range r.Devices {
		opencl = opencl || d.Backend == "opencl"
		topics = append(topics, topic{"How fast is " + d.Name + "?", r.speed(d)})
	}
	for _, d := range r.Devices {
		if d.Backend == "shard" {
			topics = append(topics, topic{"How well does " + d.Name + " scale?", r.scaling(d)})
		}
	}
	for _, d := range r.Devices {
		if d.Backend != "cpu" {
			topics = append(topics, topic{"From which size on is " + d.Name + " faster than the CPU?", r.payOff(d)})
		}
	}
	if !opencl {
		topics = append(topics, topic{"From which size on is a GPU faster?", r.noOpenCL()})
	}
	return topics
}

// WriteSummary writes the results in words, in lines of Width columns. It writes nothing if
// there are none.
func (r *Report) WriteSummary(w io.Writer) {
	if len(r.Results) == 0 {
		return
	}
	if warnings := r.warnings(); len(warnings) > 0 {
		fmt.Fprintln(w)
		for _, warning := range warnings {
			fmt.Fprintln(w, Wrap(warning, ""))
		}
	}
	for _, t := range r.summary() {
		fmt.Fprintf(w, "\n%s\n", Wrap(t.Question, "  "))
		for _, s := range t.Answers {
			fmt.Fprintln(w, Wrap("  "+s.Text, "  "))
			for _, item := range s.Items {
				fmt.Fprintln(w, Wrap("    "+item, "      "))
			}
		}
	}
}

// speed describes the operations of a device: for the most elements, with the data on the
// device and on the host, and where they are farthest from their limit.
func (r *Report) speed(d Device) []statement {
	var list []statement
	for _, data := range []string{OnDevice, OnHost} {
		if ops := r.largest(d, data); len(ops) > 0 {
			s := statement{Text: fmt.Sprintf("%s, %v:", units.Elements(ops[0].N), ops[0].place())}
			for _, res := range slices.Concat(ops, r.limitsOf(ops[0])) {
				s.Items = append(s.Items, speedOf(res))
			}
			list = append(list, s)
		}
	}
	if worst, ok := r.farthest(d); ok {
		list = append(list, statement{Text: fmt.Sprintf("Farthest from its limit: %s of %s, %v, with %s of the %s.",
			worst.Op, units.Elements(worst.N), worst.place(), unbroken(percent(worst.OfLimit)), worst.Limit)})
	}
	if d.LaunchNS > 0 {
		list = append(list, statement{Text: fmt.Sprintf("The shortest call, a copy of one element and Sync, takes %s.", unbroken(units.Duration(d.LaunchNS)))})
	}
	if len(list) == 0 {
		list = []statement{{Text: "Nothing was measured."}}
	}
	return list
}

// largest returns the results of a device for the most elements, one for each operation,
// with cold caches if there are such results.
func (r *Report) largest(d Device, data string) []Result {
	var ops []Result
	for _, res := range r.Results {
		if res.Device == d.Name && res.Data == data && !isLimit(res.Op) && res.hasSpeed() {
			ops = append(ops, res)
		}
	}
	if len(ops) == 0 {
		return nil
	}
	top := slices.MaxFunc(ops, func(a, b Result) int {
		return cmp.Or(cmp.Compare(b.Cache, a.Cache), cmp.Compare(a.N, b.N)) // cold before warm
	})
	return slices.DeleteFunc(ops, func(res Result) bool { return res.N != top.N || res.Cache != top.Cache })
}

// limitsOf returns the limits measured on the device, size and place of res.
func (r *Report) limitsOf(res Result) []Result {
	var list []Result
	for _, op := range limits {
		k := res.key()
		k.op = op
		if l := r.find(k); l != nil && l.hasSpeed() {
			list = append(list, *l)
		}
	}
	return list
}

// speedOf describes one result.
func speedOf(res Result) string {
	v, unit := res.speed()
	s := fmt.Sprintf("%s: %s", res.Op, unbroken(units.Digits(v)+" "+unit))
	if res.OfLimit > 0 {
		s += fmt.Sprintf(", %s of the %s", unbroken(percent(res.OfLimit)), res.Limit)
	}
	s += fmt.Sprintf(" (%s)", unbroken(units.Duration(res.MedianNS)))
	switch {
	case !res.Verified:
		s += ", and WRONG"
	case doubtful(res):
		s += ", which is doubtful"
	}
	return s
}

// farthest returns the result of the device with the smallest fraction of its limit,
// without doubtful ones.
func (r *Report) farthest(d Device) (worst Result, ok bool) {
	for _, res := range r.Results {
		if res.Device == d.Name && res.OfLimit > 0 && !doubtful(res) && (!ok || res.OfLimit < worst.OfLimit) {
			worst, ok = res, true
		}
	}
	return worst, ok
}

// payOff describes from which size on the device is faster than the CPU.
func (r *Report) payOff(d Device) []statement {
	var list []statement
	for _, at := range places {
		s := statement{Text: title(at.String()) + ":"}
		var sizes []string
		for _, a := range r.Answers {
			if a.Device == d.Name && (place{a.Data, a.Cache}) == at && len(a.SizesN) > 0 {
				s.Items = append(s.Items, a.Op+": "+from(a))
				sizes = append(sizes, from(a))
			}
		}
		if len(s.Items) > 1 && len(slices.Compact(sizes)) == 1 {
			s.Items = []string{"every operation: " + sizes[0]}
		}
		if s.Items != nil {
			list = append(list, s)
		}
	}
	if len(list) == 0 {
		return []statement{{Text: "Not known: there is no size at which both it and the CPU were measured."}}
	}
	return list
}

// title returns s with its first letter in upper case.
func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// from returns an answer in words.
func from(a Answer) string {
	least, most := units.Count(slices.Min(a.SizesN)), units.Count(slices.Max(a.SizesN))
	switch {
	case a.FromN > 0:
		return "from " + units.Elements(a.FromN) + " on"
	case least == most:
		return "never (only " + least + " measured)"
	}
	return fmt.Sprintf("never (%s to %s measured)", least, most)
}

// noOpenCL returns why no OpenCL device was measured.
func (r *Report) noOpenCL() []statement {
	var why []string
	for _, note := range r.Notes {
		if strings.HasPrefix(note, NotMeasured) || strings.HasPrefix(note, NotListed) {
			why = append(why, note)
		}
	}
	switch {
	case len(why) > 0:
		return []statement{{"Never on this machine, since no OpenCL device can be measured:", why}}
	case r.Interrupted:
		return []statement{{Text: "Not known: the run was interrupted before an OpenCL device was measured."}}
	}
	return []statement{{Text: "Not known: only the CPU was asked for."}}
}

// warnings returns what a reader must know first.
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
		list = append(list, fmt.Sprintf("%s WRONG: the device and the reference compute different values. Do not use this device.", ofResults(wrong, len(r.Results))))
	}
	if r.Interrupted {
		list = append(list, "The run was interrupted: results are missing.")
	}
	if inDoubt > 0 {
		list = append(list, fmt.Sprintf("%s doubtful; the table says why.", ofResults(inDoubt, len(r.Results))))
	}
	if len(r.Results) == 0 {
		list = append(list, "There are no results: nothing was measured.")
	}
	return list
}

// ofResults returns "1 of 98 results is", "2 of 98 results are" or "1 of 1 result is".
func ofResults(n, all int) string {
	verb := "are"
	if n == 1 {
		verb = "is"
	}
	return fmt.Sprintf("%d of %s %s", n, Plural(all, "result"), verb)
}
