package report

import (
	"fmt"
	"strings"
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

// collapse returns text with single spaces for all white space.
func collapse(text string) string { return strings.Join(strings.Fields(text), " ") }
