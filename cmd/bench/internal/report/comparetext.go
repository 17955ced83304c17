package report

import (
	"bytes"
	"fmt"
	"io"
	"strings"
)

// mostListed is how many measurements that are in one report alone are named.
const mostListed = 20

// WriteText writes the comparison as a table for people, in lines of Width columns, after
// its notes, and a last line that sums it up.
func (c *Comparison) WriteText(w io.Writer) error {
	var text bytes.Buffer // writing to it cannot fail
	for _, note := range c.Notes {
		fmt.Fprintln(&text, Wrap("note: "+oneLine(note), "  "))
	}
	value := Duration
	if c.Relative {
		value = func(part float64) string { return fmt.Sprintf("%.1f %%", 100*part) }
		fmt.Fprintln(&text, "note: old and new are parts of the limit in the same report")
	}
	if text.Len() > 0 {
		fmt.Fprintln(&text)
	}
	row := func(op, n, data, cache, old, new, change, p, verdict string) {
		fmt.Fprintf(&text, "%-10s %8s  %-6s %-5s %8s  %8s  %8s  %6s  %s\n", op, n, data, cache, old, new, change, p, verdict)
	}
	row("operation", "elements", "data", "cache", "old", "new", "change", "p", "verdict")
	device := ""
	regressions, doubtful := 0, 0
	for i, d := range c.Deltas {
		if i == 0 || d.New.Device != device {
			device = d.New.Device
			fmt.Fprintln(&text, Wrap(device, "  "))
		}
		verdict := d.Verdict
		if d.Regression {
			verdict += "!"
			regressions++
		}
		if d.Doubtful {
			verdict += "?"
			doubtful++
		}
		row(d.New.Op, Count(d.New.N), d.New.Data, d.New.Cache, value(d.OldValue), value(d.NewValue), d.change(), probability(d.P), verdict)
	}
	if regressions > 0 {
		fmt.Fprintf(&text, "! slower %s\n", c.beyond())
	}
	if doubtful > 0 {
		fmt.Fprintln(&text, "? one of the results compared is doubtful")
	}
	fmt.Fprintln(&text)
	for _, only := range []struct {
		which string
		names []string
	}{{"old", c.OldOnly}, {"new", c.NewOnly}} {
		if len(only.names) == 0 {
			continue
		}
		list := strings.Join(only.names[:min(len(only.names), mostListed)], ", ")
		if more := len(only.names) - mostListed; more > 0 {
			list += fmt.Sprintf(", and %d more", more)
		}
		fmt.Fprintln(&text, Wrap(fmt.Sprintf("in the %s report only: %s", only.which, list), "  "))
	}
	fmt.Fprintln(&text, Wrap(c.summary(), "  "))
	_, err := w.Write(text.Bytes())
	return err
}

func (c *Comparison) summary() string {
	bad := c.Regressions()
	s := fmt.Sprintf("%d of %s slower %s", len(bad), Plural(len(c.Deltas), "measurement"), c.beyond())
	if len(bad) > 0 {
		s += fmt.Sprintf("; worst: %s, %s", bad[0].New.title(), bad[0].change())
	}
	return s
}

// change returns by how much the time, or its part of the limit's, changed.
func (d Delta) change() string {
	if d.Ratio >= 100 {
		return fmt.Sprintf("%.3gx", d.Ratio)
	}
	return fmt.Sprintf("%+.1f%%", 100*(d.Ratio-1))
}

// probability returns p, or a bound where it is too small for the approximation that
// Mann-Whitney tests use of many runs.
func probability(p float64) string {
	if p < 1e-9 {
		return "<1e-9"
	}
	return fmt.Sprintf("%.1g", p)
}

func (c *Comparison) beyond() string { return fmt.Sprintf("by more than %.4g %%", 100*c.Threshold) }
