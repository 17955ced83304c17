package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/gmind-go/compute/internal/units"
)

// mostListed is the number of measurements in one report only that are listed.
const mostListed = 20

// WriteText writes the notes, a table, and a summary, in lines of Width columns, or longer
// ones if a program has a long name. It ignores errors of w.
func (c *Comparison) WriteText(w io.Writer) {
	wrap := func(format string, args ...any) { fmt.Fprintln(w, Wrap(fmt.Sprintf(format, args...), "  ")) }
	for _, note := range c.Notes {
		wrap("note: %s", collapse(note))
	}
	value := units.Duration
	if c.Relative {
		value = func(fraction float64) string { return fmt.Sprintf("%.1f %%", 100*fraction) }
		wrap("note: old and new are fractions of the limit in the same report")
	}
	if c.Relative || c.Notes != nil {
		fmt.Fprintln(w)
	}
	width := len("derivative")
	for _, d := range c.Deltas {
		width = max(width, utf8.RuneCountInString(d.New.Op))
	}
	row := func(op, n, data, cache, old, new, change, p, verdict string) {
		fmt.Fprintf(w, "%-*s %8s  %-6s %-5s %8s  %8s  %8s  %6s  %s\n", width, op, n, data, cache, old, new, change, p, verdict)
	}
	row("operation", "elements", "data", "cache", "old", "new", "change", "p", "verdict")
	device, doubts := "", false
	for i, d := range c.Deltas {
		if i == 0 || d.New.Device != device {
			device = d.New.Device
			wrap("%s", device)
		}
		verdict := d.Verdict
		if d.Regression {
			verdict += "!"
		}
		if d.Doubtful {
			verdict += "?"
			doubts = true
		}
		row(d.New.Op, units.Count(d.New.N), d.New.Data, d.New.Cache, value(d.OldValue), value(d.NewValue), d.change(), probability(d.P), verdict)
	}
	regressions := c.Regressions()
	beyond := fmt.Sprintf("by more than %.4g %%", 100*c.Threshold)
	if len(regressions) > 0 {
		fmt.Fprintln(w, "! slower", beyond)
	}
	if doubts {
		fmt.Fprintln(w, "? one of the results compared is doubtful")
	}
	fmt.Fprintln(w)
	only := func(which string, names []string) {
		list := strings.Join(names[:min(len(names), mostListed)], ", ")
		if more := len(names) - mostListed; more > 0 {
			list += fmt.Sprintf(", and %d more", more)
		}
		if list != "" {
			wrap("in the %s report only: %s", which, list)
		}
	}
	only("old", c.OldOnly)
	only("new", c.NewOnly)
	summary := fmt.Sprintf("%d of %s slower %s", len(regressions), Plural(len(c.Deltas), "measurement"), beyond)
	if len(regressions) > 0 {
		summary += fmt.Sprintf("; worst: %s, %s", regressions[0].New.title(), regressions[0].change())
	}
	wrap("%s", summary)
}

// change returns the change of the time, or of the time as a multiple of the limit's.
func (d Delta) change() string {
	if d.Ratio >= 100 {
		return fmt.Sprintf("%.3gx", d.Ratio)
	}
	return fmt.Sprintf("%+.1f%%", 100*(d.Ratio-1))
}

// probability returns p, or a bound where the approximation of the test for many runs is
// not accurate.
func probability(p float64) string {
	if p < 1e-9 {
		return "<1e-9"
	}
	return fmt.Sprintf("%.1g", p)
}
