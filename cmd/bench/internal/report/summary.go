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
	for _, res := range r.Results {
		if res.Device != d.Name || res.N != largest || len(res.Doubts) > 0 {
			continue
		}
		switch {
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
		kind := ""
		if d.Kind == "cpu" {
			kind = " (which is no GPU, but a CPU-type OpenCL device)"
		}
		first := true
		for _, a := range r.Answers {
			if a.Device != d.Name {
				continue
			}
			if first {
				lines = append(lines, fmt.Sprintf("%s%s beats %s", a.Device, kind, a.CPU))
				first = false
			}
			lines = append(lines, fmt.Sprintf("  %-10s with data on the %-7s %s: %s", a.Op, a.Data+",", a.Cache, a.From()))
		}
		if first {
			lines = append(lines, fmt.Sprintf("%s%s: not compared, since the CPU was not measured beside it", d.Name, kind))
		}
	}
	if len(lines) == 0 {
		lines = append(lines, "never, here: no OpenCL device was measured, so the CPU it is")
		lines = append(lines, r.Notes...)
	}
	return lines
}

// From returns the answer in words: from which size on.
func (a Answer) From() string {
	sizes := ""
	if len(a.SizesN) > 0 {
		sizes = fmt.Sprintf(", of %s to %s", Count(a.SizesN[0]), Count(a.SizesN[len(a.SizesN)-1]))
	}
	switch {
	case a.FromN == 0:
		return "never" + sizes
	case a.FromN == a.SizesN[0]:
		return fmt.Sprintf("always%s", sizes)
	}
	return fmt.Sprintf("from %s on%s", Count(a.FromN), sizes)
}
