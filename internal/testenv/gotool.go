package testenv

import (
	"os/exec"
	"strings"
	"testing"
)

// NeedsGo ends a test that runs the go command where there is none that can build: without
// a place for its cache, for instance, or without /proc. See Lacking.
func NeedsGo(t testing.TB) {
	t.Helper()
	if out, err := exec.Command("go", "list", "-export", "runtime").CombinedOutput(); err != nil {
		Lacking(t, "a go command that can build: %v\n%s", err, strings.TrimSpace(string(out)))
	}
}
