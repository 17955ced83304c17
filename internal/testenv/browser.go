package testenv

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Browser returns the path of a Chromium that a test can start. Where there is none
// the test is skipped, or fails if REQUIRE_OPENCL is 1, as in Open: a machine that is
// meant to test everything must not pass without.
func Browser(t testing.TB) string {
	t.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"}
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	missing := "needs a browser, one of " + strings.Join(names, ", ")
	if os.Getenv("REQUIRE_OPENCL") == "1" {
		t.Fatal(missing)
	}
	t.Skip(missing + " (REQUIRE_OPENCL=1 makes this a failure)")
	return ""
}
