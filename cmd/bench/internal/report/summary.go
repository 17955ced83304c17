package report

import (
	"fmt"
	"io"
	"strings"
)

// WriteSummary writes what the run tells, in words: what each device does, how far
// that is from what it could do, and from which size on an OpenCL device pays.
func (r *Report) WriteSummary(w io.Writer) {
	if len(r.Results) == 0 {
		return
	}
	fmt.Fprintf(w, "\nWhat does the device do, and how far is that from what it could?\n")
	for _, d := range r.Devices {
		for _, line := range r.deviceWords(d) {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
	fmt.Fprintf(w, "\nFrom which size on does the GPU pay?\n")
	for _, line := range r.answerWords() {
		fmt.Fprintf(w, "  %s\n", line)
	}
}

// deviceWords tells the speed of d at the largest size, where launches and caches do
// least, beside its limit.
func (r *Report) deviceWords(d Device) []string {
	largest := 0
	for _, res := range r.Results {
		if res.Device == d.Name {
			largest = max(largest, res.N)
		}
	}
	var limits, parts []string
	doubts := false
	for _, res := range r.Results {
		if res.Device != d.Name || res.N != largest {
			continue
		}
		switch {
		case len(res.Doubts) > 0:
			doubts = true
		case res.IsLimit():
			limits = append(limits, fmt.Sprintf("%s %.4g GB/s", res.Op, res.GBps))
		case res.Data == OnDevice:
			parts = append(parts, fmt.Sprintf("%s %.4g GB/s (%.0f %%)", res.Op, res.GBps, 100*res.OfLimit))
		}
	}
	if largest == 0 {
		return nil
	}
	lines := []string{fmt.Sprintf("%s, at %s elements:", d.Name, Count(largest))}
	if len(parts) > 0 {
		lines = append(lines, "  "+strings.Join(parts, ", ")+" of its copy")
	}
	if len(limits) > 0 {
		lines = append(lines, "  the limits: "+strings.Join(limits, ", "))
	}
	if doubts {
		lines = append(lines, "  some figures are not to be believed, and left out here")
	}
	if d.LaunchNS > 0 {
		lines = append(lines, fmt.Sprintf("  one call on one element, waited for: %s", Duration(d.LaunchNS)))
	}
	return lines
}

// answerWords tells the Answers.
func (r *Report) answerWords() []string {
	var lines []string
	for _, d := range r.Devices {
		if d.Backend == "cpu" {
			continue
		}
		name := d.Name
		if d.Kind == "cpu" {
			name += " (no GPU, but a CPU-type OpenCL device)"
		}
		before := len(lines)
		for _, cache := range []string{Cold, Warm} {
			words := map[string][2]string{} // by operation, with data on the device and on the host
			for _, a := range r.Answers {
				if a.Device != d.Name || a.Cache != cache {
					continue
				}
				if len(words) == 0 {
					lines = append(lines, fmt.Sprintf("%s is faster than %s, of %s elements, %s,", name, a.CPU, a.sizes(), cache),
						fmt.Sprintf("  %-12s %-24s %s", "", "with data on the device", "with data on the host"))
				}
				pair := words[a.Op]
				if a.Data == OnHost {
					pair[1] = a.From()
				} else {
					pair[0] = a.From()
				}
				words[a.Op] = pair
			}
			for _, op := range r.ops() {
				if pair, ok := words[op]; ok {
					lines = append(lines, fmt.Sprintf("  %-12s %-24s %s", op, pair[0], pair[1]))
				}
			}
		}
		if len(lines) == before {
			lines = append(lines, name+" was not measured beside the CPU")
		}
	}
	if len(lines) == 0 {
		lines = append(lines, "never: no OpenCL device was measured, so here it is the CPU")
		lines = append(lines, r.Notes...)
	}
	return lines
}

// sizes returns the sizes of the answer in words.
func (a Answer) sizes() string {
	first, last := a.SizesN[0], a.SizesN[len(a.SizesN)-1]
	if first == last {
		return Count(first)
	}
	return Count(first) + " to " + Count(last)
}

// From returns the answer in words: "never", "from 1Mi on", or "always".
func (a Answer) From() string {
	switch {
	case a.FromN == 0:
		return "never"
	case a.FromN == a.SizesN[0]:
		return "always"
	}
	return fmt.Sprintf("from %s on", Count(a.FromN))
}
