// Package testenv tells tests what they may take, and prepares a test process for
// OpenCL.
package testenv

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/host"
)

// Main runs the tests of a package with a kernel cache of its own, because that
// of PoCL is not safe between processes, and go test runs packages in several;
// and without the user's choice of a device. After tests that pass no goroutine may
// be left.
func Main(m *testing.M) {
	os.Unsetenv("COMPUTE_OPENCL_DEVICE")
	dir, err := os.MkdirTemp("", "pocl-cache-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		os.Exit(1)
	}
	os.Setenv("POCL_CACHE_DIR", dir)
	code := Run(m)
	os.RemoveAll(dir)
	os.Exit(code)
}

// Run runs the tests of a package and returns the exit status, which is that of a
// failure if they leave a goroutine behind. A fuzzer leaves some of its own.
func Run(m *testing.M) int {
	code := m.Run()
	if fuzz := flag.Lookup("test.fuzz"); code != 0 || fuzz != nil && fuzz.Value.String() != "" {
		return code
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, "after the tests:", err)
		return 1
	}
	return 0
}

// Lacking ends a test for want of what the machine has not: it is skipped, or fails if
// REQUIRE_OPENCL is 1, as a machine that is meant to test everything must not pass
// without.
func Lacking(t testing.TB, format string, args ...any) {
	t.Helper()
	needs := "needs " + fmt.Sprintf(format, args...)
	if Required() {
		t.Fatal(needs)
	}
	t.Skip(needs + " (REQUIRE_OPENCL=1 makes this a failure)")
}

// Required tells whether tests that cannot run fail: REQUIRE_OPENCL is 1.
func Required() bool { return os.Getenv("REQUIRE_OPENCL") == "1" }

// Open opens a backend that the machine may lack: see Lacking. A device that is there
// and cannot be used fails the test, as does any other error.
func Open(t testing.TB, open compute.Opener) compute.Backend {
	t.Helper()
	b, err := open()
	missing := errors.Is(err, compute.ErrUnavailable) && !errors.Is(err, compute.ErrDevice)
	if missing {
		Lacking(t, "OpenCL: %v", err)
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

// Exhaustive tells whether tests may take minutes, and most of the memory, because
// the environment variable EXHAUSTIVE is 1: make exhaustive sets it.
func Exhaustive() bool { return os.Getenv("EXHAUSTIVE") == "1" }

// Available returns the bytes of memory that this process can still use, or
// math.MaxInt64 where the system does not report it.
func Available() int64 { return host.Available() }
