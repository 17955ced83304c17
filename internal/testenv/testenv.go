// Package testenv prepares test processes for OpenCL, skips tests if the machine lacks
// something, and reports how much time and memory tests may use.
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

const (
	poclCacheEnv = "POCL_CACHE_DIR"
	// lentCacheEnv names the kernel cache of a process that waits for this one.
	lentCacheEnv = "COMPUTE_TEST_LENT_CACHE"
)

// Main runs the tests of a package, without the user's choice of a device, and exits. The
// process has a kernel cache of its own, since PoCL's is not safe to share and go test
// runs packages concurrently, or that of LendCache. It is a failure if a goroutine is left.
func Main(m *testing.M) {
	os.Unsetenv("COMPUTE_OPENCL_DEVICE")
	if dir := os.Getenv(lentCacheEnv); dir != "" {
		os.Setenv(poclCacheEnv, dir)
		os.Exit(Run(m))
	}
	dir, err := os.MkdirTemp("", "pocl-cache-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "testenv:", err)
		os.Exit(1)
	}
	os.Setenv(poclCacheEnv, dir)
	code := Run(m)
	os.RemoveAll(dir)
	os.Exit(code)
}

// LendCache returns the environment variable with which a process that runs Main uses the
// kernel cache of this process, so that it does not compile the same kernels again. This
// process must not use OpenCL until the other one has ended.
func LendCache() string { return lentCacheEnv + "=" + os.Getenv(poclCacheEnv) }

// Run runs the tests of a package and returns the exit status, which is not 0 if a
// goroutine is left. A fuzzer leaves some of its own, which are ignored.
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

// Lacking skips a test that needs something that the machine does not have. With
// REQUIRE_OPENCL=1, which is for machines that must run every test, the test fails.
func Lacking(t testing.TB, format string, args ...any) {
	t.Helper()
	needs := "needs " + fmt.Sprintf(format, args...)
	if Required() {
		t.Fatal(needs)
	}
	t.Skip(needs + " (REQUIRE_OPENCL=1 makes this a failure)")
}

// Required reports whether tests that cannot run fail: REQUIRE_OPENCL is 1.
func Required() bool { return os.Getenv("REQUIRE_OPENCL") == "1" }

// Open returns the backend of open, and closes it at the end of the test. If there is no
// device it calls Lacking. Any other error fails the test, also that of a device that
// cannot be used.
func Open(t testing.TB, open compute.Opener) compute.Backend {
	t.Helper()
	b, err := open()
	if errors.Is(err, compute.ErrUnavailable) && !errors.Is(err, compute.ErrDevice) {
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

// Exhaustive reports whether tests may take minutes and most of the memory: make
// exhaustive sets EXHAUSTIVE to 1.
func Exhaustive() bool { return os.Getenv("EXHAUSTIVE") == "1" }

// Available returns the bytes of memory that this process can still use, or math.MaxInt64 if
// the system does not report them.
func Available() int64 { return host.Available() }
