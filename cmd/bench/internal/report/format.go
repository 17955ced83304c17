package report

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Width is the number of columns of text for a terminal.
const Width = 80

// Wrap returns text with line breaks at spaces, so that no line of several words exceeds
// Width columns, and with indent before all lines but the first. No-break spaces become
// spaces.
func Wrap(text, indent string) string {
	var lines []string
	line := ""
	for i, word := range strings.Split(text, " ") {
		switch {
		case i == 0:
			line = word
		case strings.TrimSpace(line) != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > Width:
			lines = append(lines, line)
			line = indent + word
		default:
			line += " " + word
		}
	}
	return broken(strings.Join(append(lines, line), "\n"))
}

// Plural returns n and the noun, with an s unless n is 1: "1 run", "2 runs".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Elements returns a number of elements with the noun: "1 element", "64Mi elements".
func Elements(n int) string {
	if n == 1 {
		return "1 element"
	}
	return Count(n) + " elements"
}

// Count returns n with a binary unit if that is exact: "1Ki", "64Mi", "1000".
func Count(n int) string {
	for _, unit := range []struct {
		shift int
		name  string
	}{{40, "Ti"}, {30, "Gi"}, {20, "Mi"}, {10, "Ki"}} {
		if whole := n >> unit.shift; whole > 0 && whole<<unit.shift == n {
			return fmt.Sprintf("%d%s", whole, unit.name)
		}
	}
	return fmt.Sprint(n)
}

// Duration returns a time in ns with up to four digits and a unit: "12.34 µs".
func Duration(ns float64) string {
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Second, "s"}, {time.Millisecond, "ms"}, {time.Microsecond, "µs"}} {
		if v := ns / float64(unit.size); v >= 1 {
			return fmt.Sprintf("%.4g %s", v, unit.name)
		}
	}
	return fmt.Sprintf("%.4g ns", ns)
}

// rate returns GB/s with three digits, or two decimals.
func rate(gbps float64) string {
	switch {
	case gbps >= 100:
		return fmt.Sprintf("%.0f", gbps)
	case gbps >= 10:
		return fmt.Sprintf("%.1f", gbps)
	}
	return fmt.Sprintf("%.2f", gbps)
}

// percent returns a fraction as a whole number of percent.
func percent(fraction float64) string { return fmt.Sprintf("%.0f %%", 100*fraction) }

// memory returns a number of bytes with a binary unit, or "not known" for 0.
func memory(bytes int64) string {
	if bytes == 0 {
		return "not known"
	}
	v, unit := float64(bytes), "bytes"
	for _, larger := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if v < 1024 {
			break
		}
		v, unit = v/1024, larger
	}
	return fmt.Sprintf("%.4g %s", v, unit)
}

// unbroken returns s with no-break spaces.
func unbroken(s string) string { return strings.ReplaceAll(s, " ", "\u00a0") }

// broken undoes unbroken.
func broken(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

// oneLine returns text with single spaces for all white space.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
