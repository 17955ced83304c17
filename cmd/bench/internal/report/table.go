package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// A Table prints results for people, as they come.
type Table struct {
	W    io.Writer
	Bars bool // the reader's terminal shows the block characters of Unicode
}

// Device prints the head of what was measured on d.
func (t Table) Device(d Device) {
	fmt.Fprintf(t.W, "\n%s\n", d.Name)
	fmt.Fprintln(t.W, "  "+row("operation", "elements", "data", "cache", "median", "±", "min", "p95", "events", "GB/s", "of limit"))
}

// Rows prints results of one device and size.
func (t Table) Rows(results []Result) {
	for _, r := range results {
		spread, events, limit := "", "", ""
		if s := r.Spread(); !math.IsInf(s, 0) {
			spread = fmt.Sprintf("%.1f%%", 100*s)
		}
		if r.EventNS > 0 {
			events = Duration(r.EventNS)
		}
		if r.OfLimit > 0 {
			limit = fmt.Sprintf("%.0f %%", 100*r.OfLimit)
			if t.Bars {
				limit += " " + Bar(r.OfLimit, 10)
			}
		}
		speed := fmt.Sprintf("%.4g", r.GBps)
		if len(r.Doubts) > 0 {
			speed = "?"
		}
		line := "  " + row(r.Op, Count(r.N), r.Data, r.Cache, Duration(r.MedianNS), spread, Duration(r.MinNS), Duration(r.P95NS), events, speed, limit)
		if !r.Verified {
			line += "  WRONG"
		}
		fmt.Fprintln(t.W, strings.TrimRight(line, " "))
		for _, doubt := range r.Doubts {
			fmt.Fprintf(t.W, "    ? %s GB/s is not to be believed: %s\n", fmt.Sprintf("%.4g", r.GBps), doubt)
		}
	}
}

// row lays out one line. The last cell is left-aligned: it may have a bar.
func row(op string, cells ...string) string {
	widths := []int{8, 6, 5, 9, 5, 9, 9, 9, 6}
	var b strings.Builder
	fmt.Fprintf(&b, "%-10s", op)
	for i, w := range widths {
		b.WriteString("  " + strings.Repeat(" ", max(0, w-utf8.RuneCountInString(cells[i]))) + cells[i])
	}
	last := cells[len(widths)]
	number, bar, _ := strings.Cut(last, " %")
	if last != number+" %"+bar { // no percentage
		return b.String() + "  " + last
	}
	fmt.Fprintf(&b, "  %4s %%%s", number, bar)
	return b.String()
}

// Bar returns a bar of eighths of width characters for the part of 1, which may be
// more than 1 and is cut off there.
func Bar(part float64, width int) string {
	eighths := int(math.Round(min(max(part, 0), 1) * float64(8*width)))
	bar := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		bar += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return bar
}
