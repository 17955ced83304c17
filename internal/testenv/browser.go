package testenv

import (
	"os/exec"
	"strings"
	"testing"
)

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
