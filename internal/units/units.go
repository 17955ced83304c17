// Package units formats quantities for people, and parses numbers of elements. It is for
// programs and tests.
package units

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

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

// Elements returns a number of elements with the noun: "1 element", "64Mi elements".
func Elements(n int) string {
	if n == 1 {
		return "1 element"
	}
	return Count(n) + " elements"
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

// Digits returns v with three digits, or more from 1000 on: "0.123", "1.00", "12.3", "1234".
func Digits(v float64) string {
	decimals := 3
	for _, next := range []float64{0.9995, 9.995, 99.95} {
		if v >= next {
			decimals--
		}
	}
	return strconv.FormatFloat(v, 'f', decimals, 64)
}

// ParseCounts parses a list of numbers of elements from 1 to most, such as
// "1024,64Ki,16Mi", and returns them sorted, without duplicates.
func ParseCounts(list string, most int) ([]int, error) {
	var counts []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := parseCount(text, most)
		if err != nil {
			return nil, fmt.Errorf("%q %w", text, err)
		}
		counts = append(counts, n)
	}
	slices.Sort(counts)
	return slices.Compact(counts), nil
}

// parseCount parses a number of elements. The text is the subject of the error.
func parseCount(text string, most int) (int, error) {
	suffix := strings.TrimLeft(text, "0123456789")
	digits := strings.TrimSuffix(text, suffix)
	unit, ok := map[string]int64{"": 1, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}[suffix]
	if digits == "" {
		return 0, errors.New("is not a number of elements, such as 1024, 64Ki or 16Mi")
	}
	if !ok {
		return 0, errors.New("should be digits alone, or followed by Ki, Mi or Gi")
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	switch {
	case err != nil || n > int64(most)/unit:
		return 0, fmt.Errorf("is too large; the most is %s", Elements(most))
	case n == 0:
		return 0, errors.New("should be at least 1")
	}
	return int(n * unit), nil
}
