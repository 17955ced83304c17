package report

import (
	"fmt"
	"time"
)

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
