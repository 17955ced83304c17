//go:build linux && opencl && cgo

package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/cmd/bench/internal/doctor"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
)

// What a faulty driver does when it is loaded.
const (
	noise = `puts("{\"Devices\":[]}"); fflush(stdout); fputs("fake: no way on\n", stderr); `
	dies  = noise + `abort();`
	leaps = noise + `*(volatile int *)8 = 1;`
	exits = noise + `_exit(0);`
	hangs = noise + `for (;;) pause();`
	forks = noise + `if (fork() == 0) { sleep(600); _exit(0); }` // keeping what is open
)

// loaded returns the source of a driver that has no devices and does this when it is loaded.
func loaded(does string) string {
	return `#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void init(void) { ` + does + ` }`
}

// opened returns the source of a driver with one device, a GPU, that does this when it is
// opened. It implements as much of the loader's interface as that needs.
func opened(does string) string {
	return `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void *dispatch[256]; // OpenCL's functions, in the order of CL/cl_icd.h
static struct { void **dispatch; } platform = {dispatch}, device = {dispatch};
static int give(const void *value, size_t n, size_t size, void *to, size_t *got) {
	if (to && size < n) return -30;
	if (to) memcpy(to, value, n);
	if (got) *got = n;
	return 0;
}
static int platform_info(void *p, unsigned what, size_t size, void *to, size_t *got) {
	const char *text = what == 0x0904 ? "cl_khr_icd" : "Fake platform";
	return give(text, strlen(text) + 1, size, to, got);
}
static int device_ids(void *p, unsigned long type, unsigned n, void **to, unsigned *got) {
	if (to) *to = &device;
	if (got) *got = 1;
	return 0;
}
static int device_info(void *d, unsigned what, size_t size, void *to, size_t *got) {
	unsigned long number = what == 0x1000 ? 4 : 1 << 30; // a GPU; all sizes are alike
	unsigned yes = 1;
	switch (what) {
	case 0x1027: case 0x1028: return give(&yes, sizeof yes, size, to, got); // available, with a compiler
	case 0x102B: case 0x102C: case 0x102D: return give("Fake", 5, size, to, got); // name, vendor, driver
	}
	return give(&number, sizeof number, size, to, got);
}
static void *create_context(void *a, unsigned b, void *c, void *d, void *e, int *err) {
	` + does + `
	*err = -6; // CL_OUT_OF_HOST_MEMORY
	return 0;
}
int clIcdGetPlatformIDsKHR(unsigned n, void **to, unsigned *got) {
	void *table[] = {0, platform_info, device_ids, device_info, create_context};
	memcpy(dispatch, table, sizeof table);
	if (to) *to = &platform;
	if (got) *got = 1;
	return 0;
}
int clGetPlatformInfo(void *p, unsigned what, size_t size, void *to, size_t *got) {
	return platform_info(p, what, size, to, got);
}
void *clGetExtensionFunctionAddress(const char *name) {
	return strcmp(name, "clIcdGetPlatformIDsKHR") ? 0 : (void *)clIcdGetPlatformIDsKHR;
}`
}

// vendors makes a directory for the OpenCL loader with the drivers of this machine, as
// good0.icd and so on, and a driver with the C source, as fake.icd. It returns the
// environment that names the directory.
func vendors(t *testing.T, source string) (dir string, env []string) {
	t.Helper()
	needOpenCL(t)
	dir = t.TempDir()
	put := func(name, content string) string {
		name = filepath.Join(dir, name)
		if err := os.WriteFile(name, []byte(content), 0o666); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for i, d := range doctor.Environment().Drivers { // file (library)
		_, library, _ := strings.Cut(strings.TrimSuffix(d, ")"), " (")
		put(fmt.Sprintf("good%d.icd", i), library+"\n")
	}
	cc := strings.Fields(os.Getenv("CC"))
	if len(cc) == 0 {
		cc = []string{"cc"}
	}
	if _, err := exec.LookPath(cc[0]); err != nil {
		testenv.Lacking(t, "a C compiler: %v", err)
	}
	library := filepath.Join(dir, "libfake.so")
	if out, err := exec.Command(cc[0], append(cc[1:], "-shared", "-fPIC", "-o", library, put("fake.c", source))...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	put("fake.icd", library+"\n")
	// Without a layer, which would answer in place of the driver.
	return dir, []string{"OCL_ICD_VENDORS=" + dir, "OPENCL_VENDOR_PATH=", "OCL_ICD_FILENAMES=", "OPENCL_LAYERS="}
}

// TestBadDriver: a driver that crashes or hangs when it is loaded is named, and the CPU is
// measured nevertheless.
func TestBadDriver(t *testing.T) {
	for name, test := range map[string]struct{ does, timeout, short, what string }{
		"abort": {dies, "20s", "20s", `crashed \((SIGABRT: abort|signal: aborted)\)`},
		"leap":  {leaps, "20s", "20s", `crashed \((SIGSEGV: segmentation violation|signal: segmentation fault)\)`},
		"exit":  {exits, "20s", "20s", `ended the program \(exit status 0\)`},
		"hang":  {hangs, "4s", "1s", `did not answer within [41]s \(see -timeout\)`},
	} {
		t.Run(name, func(t *testing.T) {
			dir, env := vendors(t, loaded(test.does))
			t.Parallel() // since some wait for a timeout
			stdout, stderr, code := benchWith(t, env, "devices", "-timeout", test.timeout)
			fake := filepath.Join(dir, "fake.icd") + " (" + filepath.Join(dir, "libfake.so") + ")"
			for _, want := range []string{
				`(?m)^OpenCL devices cannot be listed: a driver ` + test.what + "\n  it last said:\n    .*\n    fake: no way on\n\n",
				"\n  " + regexp.QuoteMeta(fake) + ": AT FAULT: it " + test.what + "\n    it last said:\n      .*\n      fake: no way on\n",
				`\n  ` + regexp.QuoteMeta(dir) + `/good\d\.icd \(\S+\): lists \w`,
				"\nremedy: repair or remove " + regexp.QuoteMeta(fake) + "; .*OCL_ICD_VENDORS.*COMPUTE_OPENCL_DEVICE=none\n\\z",
			} {
				if !regexp.MustCompile(want).MatchString(stdout) {
					t.Errorf("no %q in: %s", want, stdout)
				}
			}
			if want := "bench: the OpenCL driver " + fake + " crashes or hangs\n"; code != command.Unusable || stderr != want || strings.Count(stdout, "AT FAULT") != 1 {
				t.Errorf("exit %d, %q; want 3, %q, and one driver at fault: %s", code, stderr, want, stdout)
			}

			measured := regexp.MustCompile(`(?m)^cpu \w+\n(.*\n)+    forward  .* %`)
			reason := regexp.MustCompile(`gpu: listing the OpenCL devices: a driver ` + test.what + `(; it last said "fake: no way on")?; OpenCL is left alone`)
			args := []string{"-n", "1Ki", "-runs", "1", "-timeout", test.short}
			stdout, stderr, code = benchWith(t, env, args...)
			if code != 0 || stderr != "" || !measured.MatchString(stdout) || strings.Count(words(stdout), "not measured: ") != 2 || !reason.MatchString(words(stdout)) {
				t.Errorf("bench: exit %d, %s%s", code, stdout, stderr)
			}
			for _, named := range []string{"-backend=opencl", "-device=any"} {
				stdout, stderr, code = benchWith(t, env, append(args, named)...)
				if code != command.Unusable || measured.MatchString(stdout) || strings.Count(stderr, "\n") != 1 || !reason.MatchString(stderr) {
					t.Errorf("bench %s: exit %d, %s%s", named, code, stdout, stderr)
				}
			}
			stdout, stderr, code = benchWith(t, append(env, gpu.DeviceEnv+"=none"), args...)
			if code != 0 || !measured.MatchString(stdout) || !strings.Contains(words(stdout), "not measured: gpu: OpenCL is turned off by COMPUTE_OPENCL_DEVICE=none") {
				t.Errorf("bench, with OpenCL turned off: exit %d, %s%s", code, stdout, stderr)
			}
		})
	}
}

// TestBadDevice: a driver that fails when its device is opened makes that one device
// unusable.
func TestBadDevice(t *testing.T) {
	for name, test := range map[string]struct{ does, timeout, verdict string }{
		"abort": {dies, "20s", `NOT USABLE: its driver crashed \((SIGABRT: abort|signal: aborted)\)\n    it last said:\n      .*\n      fake: no way on\n  remedy  `},
		"hang":  {hangs, "6s", `NOT USABLE: its driver did not answer within 6s \(see -timeout\)\n    it last said:\n      .*\n      fake: no way on\n  remedy  `},
		"error": {"", "20s", `NOT USABLE: .*CL_OUT_OF_HOST_MEMORY`},
	} {
		t.Run(name, func(t *testing.T) {
			_, env := vendors(t, opened(test.does))
			stdout, stderr, code := benchWith(t, env, "devices", "-timeout", test.timeout)
			for _, want := range []string{
				`(?m)^device \d+: Fake\n  kind       gpu\n  vendor     Fake\n  platform   Fake platform\n  driver     Fake\n` +
					`  memory     1\.1 GB, (its own|shared with the host); largest allocation 1\.1 GB\n  self-test  ` + test.verdict,
				`(?m)^  self-test  usable`,
			} {
				if !regexp.MustCompile(want).MatchString(stdout) {
					t.Errorf("no %q in: %s", want, stdout)
				}
			}
			if code != command.Unusable || !regexp.MustCompile(`^bench: \d+ of \d+ OpenCL devices cannot be used\n`).MatchString(stderr) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit %d, %s; want 3 and one line", code, stderr)
			}
		})
	}
}

// TestLeftBehind: a process that a driver starts and leaves does not delay the result.
func TestLeftBehind(t *testing.T) {
	_, env := vendors(t, loaded(forks))
	stdout, stderr, code := benchWith(t, env, "devices") // with less time than that process takes
	if code < 0 || !strings.Contains(stdout, "  self-test  usable") {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
}

// TestOrphan: a child process that hangs ends without its parent, too.
func TestOrphan(t *testing.T) {
	_, env := vendors(t, loaded(hangs))
	if _, _, code := benchWith(t, env, "probe", "100ms"); code != command.Unusable {
		t.Errorf("exit %d", code)
	}
}
