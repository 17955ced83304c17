package testenv

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// BuildLayer builds the OpenCL layer of a source file in C, and returns the path for
// OPENCL_LAYERS. Without a compiler or the headers it calls Lacking.
func BuildLayer(t *testing.T, source string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), strings.TrimSuffix(filepath.Base(source), ".c")+".so")
	cc := strings.Fields(os.Getenv("CC"))
	for _, name := range []string{"cc", "gcc", "clang"} {
		if _, err := exec.LookPath(name); err == nil && len(cc) == 0 {
			cc = []string{name}
		}
	}
	if len(cc) == 0 {
		Lacking(t, "a C compiler")
	}
	args := append(cc[1:], "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o", path, source)
	if flags, err := exec.Command("pkg-config", "--cflags", "OpenCL").Output(); err == nil {
		args = append(args, strings.Fields(string(flags))...)
	}
	cmd := exec.Command(cc[0], args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		Lacking(t, "a way to build an OpenCL layer: %v: %v\n%s", cmd, err, out)
	} else if len(out) > 0 {
		t.Logf("%s", out)
	}
	return path
}
