package testenv

import (
	"os/exec"
	"strings"
	"testing"
)

// NeedsGo calls Lacking unless the go command can build, which it cannot without a directory
// for its cache, for example, or without /proc.
func NeedsGo(t testing.TB) {
	t.Helper()
	if out, err := exec.Command("go", "list", "-export", "runtime").CombinedOutput(); err != nil {
		Lacking(t, "a go command that can build: %v\n%s", err, strings.TrimSpace(string(out)))
	}
}

// Browser returns the path of a Chromium. If there is none it calls Lacking.
func Browser(t testing.TB) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Lacking(t, "a browser, one of %s", strings.Join(names, ", "))
	return ""
}
