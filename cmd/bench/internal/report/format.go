package report

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Width is the number of columns that text for a terminal takes at most, unless a word is
// longer.
const Width = 80

// Wrap returns text in lines of Width columns at most, broken at spaces, all but the first
// with indent before them. No-break spaces become spaces.
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

// Plural returns a number of things that are called noun if there is one: "1 run",
// "2 runs".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// Elements returns a number of elements in words: "1 element", "64Mi elements".
func Elements(n int) string {
	if n == 1 {
		return "1 element"
	}
	return Count(n) + " elements"
}

// Count returns a number of elements, with a binary unit where it is exact: "1Ki",
// "64Mi", "1000".
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

// Duration returns ns nanoseconds with four digits at most and a unit: "12.34 µs".
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
