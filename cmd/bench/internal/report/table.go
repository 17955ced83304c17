package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"

	"github.com/gmind-go/compute/internal/units"
)

// A Table prints results one after the other, in lines of Width columns, or longer ones if a
// program has a long name.
type Table struct {
	W        io.Writer
	Bars     bool      // the terminal shows the block characters of Unicode
	Programs []Program // that are measured
}

// Device prints the heading of results on d.
func (t Table) Device(d Device) {
	fmt.Fprintf(t.W, "\n%s\n", Wrap(d.Name, "  "))
	fmt.Fprintln(t.W, t.columns("  elements", "median", "±", "min", "events", "GB/s", "of limit"))
}

// Rows prints results of one device, size and cache state.
func (t Table) Rows(results []Result) {
	for i, r := range results {
		if i == 0 {
			fmt.Fprintf(t.W, "  %s, %s\n", units.Count(r.N), r.Cache)
		}
		fmt.Fprintln(t.W, t.row(r))
		for _, doubt := range r.Doubts {
			fmt.Fprintln(t.W, Wrap(fmt.Sprintf("      ? %.4g\u00a0GB/s is implausible: %s", r.GBps, doubt), "        "))
		}
	}
}

func (t Table) row(r Result) string {
	name, spread, events, limit := r.Op, "", "", ""
	if r.Data == OnHost && !isLimit(r.Op) {
		name += ", host"
	}
	v, unit := r.speed()
	if unit != "GB/s" {
		name += ", " + unit
	}
	if s := r.Spread(); !math.IsInf(s, 0) {
		spread = fmt.Sprintf("%.1f%%", 100*s)
		if len(spread) > 5 {
			spread = fmt.Sprintf("%.0f%%", 100*s)
		}
	}
	if r.EventNS > 0 {
		events = units.Duration(r.EventNS)
	}
	switch {
	case !r.Verified:
		limit = "WRONG"
	case r.OfLimit > 0:
		limit = fmt.Sprintf("%3.0f %%", 100*r.OfLimit)
	}
	speed := fmt.Sprintf("%.4g", v)
	switch {
	case v < 0.1:
		speed = fmt.Sprintf("%.2g", v)
	case v >= 1000:
		speed = fmt.Sprintf("%.0f", v)
	}
	if len(r.Doubts) > 0 {
		speed = "?"
	}
	text := t.columns("    "+name, units.Duration(r.MedianNS), spread, units.Duration(r.MinNS), events, speed, limit)
	if room := Width - 1 - utf8.RuneCountInString(text); t.Bars && r.Verified && r.OfLimit > 0 && room > 0 {
		text += " " + textBar(r.OfLimit, min(room, barWidth))
	}
	return text
}

const barWidth = 6 // fits on a line with 100 %

// columns returns a line of the table.
func (t Table) columns(name string, cells ...any) string {
	width := len("    derivative, host")
	for _, p := range t.Programs {
		width = max(width, utf8.RuneCountInString("    "+p.Name+", host"))
	}
	line := fmt.Sprintf("%-*s  %8s  %5s  %8s  %8s  %7s  %s", append([]any{width, name}, cells...)...)
	return strings.TrimRight(line, " ")
}

// textBar returns a bar for a fraction, of up to width characters for 1 and above.
func textBar(fraction float64, width int) string {
	eighths := int(math.Round(min(max(fraction, 0), 1) * float64(8*width)))
	bar := strings.Repeat("█", eighths/8)
	if rest := eighths % 8; rest > 0 {
		bar += string([]rune("▏▎▍▌▋▊▉")[rest-1])
	}
	return bar
}
