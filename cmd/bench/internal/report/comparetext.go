package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// WriteText writes the comparison as a table for people, after its notes, and a last
// line that sums it up.
func (c *Comparison) WriteText(w io.Writer) error {
	var text bytes.Buffer // writing to it cannot fail
	for _, note := range c.Notes {
		fmt.Fprintf(&text, "note: %s\n", oneLine(note))
	}
	if len(c.Notes) > 0 {
		fmt.Fprintln(&text)
	}
	width := len("device")
	for _, d := range c.Deltas {
		width = max(width, utf8.RuneCountInString(d.New.Device))
	}
	value, compared := Duration, ""
	if c.Relative {
		value = func(part float64) string { return fmt.Sprintf("%.1f %%", 100*part) }
		compared = " of limit"
	}
	row := func(op, n, data, cache, old, new, ratio, change, p, device, verdict string) {
		fmt.Fprintf(&text, "%-10s  %8s  %-6s  %-5s  %12s  %12s  %7s  %9s  %7s  %-*s  %s\n",
			op, n, data, cache, old, new, ratio, change, p, width, device, verdict)
	}
	row("operation", "elements", "data", "cache", "old"+compared, "new"+compared, "new/old", "change", "p", "device", "verdict")
	for _, d := range c.Deltas {
		row(d.New.Op, Count(d.New.N), d.New.Data, d.New.Cache, value(d.OldValue), value(d.NewValue),
			fmt.Sprintf("%.3f", d.Ratio), d.change(), fmt.Sprintf("%.1g", d.P), d.New.Device, c.verdict(d))
	}
	fmt.Fprintln(&text)
	for _, only := range []struct {
		which string
		names []string
	}{{"old", c.OldOnly}, {"new", c.NewOnly}} {
		if len(only.names) > 0 {
			fmt.Fprintf(&text, "in the %s report only: %s\n", only.which, strings.Join(only.names, ", "))
		}
	}
	fmt.Fprintln(&text, c.summary())
	_, err := w.Write(text.Bytes())
	return err
}

func (c *Comparison) verdict(d Delta) string {
	v := d.Verdict
	if d.Regression {
		v += ", " + c.beyond()
	}
	if d.Doubtful {
		v += ", doubtful"
	}
	return v
}

func (c *Comparison) summary() string {
	bad := c.Regressions()
	s := fmt.Sprintf("%d of %d measurements slower %s", len(bad), len(c.Deltas), c.beyond())
	if len(bad) > 0 {
		s += fmt.Sprintf("; worst: %s, %s", bad[0].New.title(), bad[0].change())
	}
	return s
}

// change returns by how much the time, or its part of the limit's, changed.
func (d Delta) change() string { return fmt.Sprintf("%+.1f %%", 100*(d.Ratio-1)) }

func (c *Comparison) beyond() string { return fmt.Sprintf("by more than %.4g %%", 100*c.Threshold) }
