package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
)

// mainEnv makes this test binary the program itself.
const mainEnv = "COMPUTE_TEST_BENCH"

// TestMain makes every process that the tests start, and its children, the program, except
// for those that a fuzzer starts.
func TestMain(m *testing.M) {
	if os.Getenv(mainEnv) != "" {
		main()
	}
	fuzzing := func(arg string) bool { return strings.HasPrefix(arg, "-test.fuzz=") }
	if !slices.ContainsFunc(os.Args, fuzzing) {
		os.Setenv(mainEnv, "1")
	}
	os.Setenv("GORACE", "atexit_sleep_ms=0") // otherwise each takes a second longer
	testenv.Main(m)
}

// bench runs the program.
func bench(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	return benchWith(t, nil, args...)
}

// benchWith runs the program with env added to the environment.
func benchWith(t *testing.T, env []string, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), env...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// needOpenCL skips the test, or fails it, without an OpenCL device.
func needOpenCL(t *testing.T) { testenv.Open(t, gpu.OpenDevice("any")) }

// onCPU returns a CPU backend, and the configuration and the input to measure ops on n
// elements.
func onCPU(t *testing.T, n int, ops ...string) (compute.Backend, *config, *input) {
	t.Helper()
	c := newConfig()
	c.ops, c.sizes = ops, []int{n}
	in := &input{count: c.operands()}
	if _, err := in.generate(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	return testenv.Open(t, cpu.Open), c, in
}

// words returns text with its white space, line breaks included, as single spaces.
func words(text string) string { return strings.Join(strings.Fields(text), " ") }
