// Package testenv prepares a test process for OpenCL.
package testenv

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/gmind-go/compute"
)

// Main runs the tests of a package with a kernel cache of its own, because that
// of PoCL is not safe between processes, and go test runs packages in several.
func Main(m *testing.M) {
	if os.Getenv("POCL_CACHE_DIR") != "" {
		os.Exit(m.Run())
	}
	dir, err := os.MkdirTemp("", "pocl-cache-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		os.Exit(1)
	}
	os.Setenv("POCL_CACHE_DIR", dir)
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// Open opens a backend that the machine may lack. Where it is unavailable the
// test is skipped, or fails if REQUIRE_OPENCL is 1: a machine that is meant to
// test OpenCL must not pass without. Any other error fails the test.
func Open(t testing.TB, open compute.Opener) compute.Backend {
	t.Helper()
	b, err := open()
	if errors.Is(err, compute.ErrUnavailable) && os.Getenv("REQUIRE_OPENCL") != "1" {
		t.Skipf("needs OpenCL (REQUIRE_OPENCL=1 makes this a failure): %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}
