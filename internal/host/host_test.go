package host

import (
	"math"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

const (
	meminfo = "MemTotal:        1000 kB\nMemFree:  1 kB\nMemAvailable:     600 kB\n"
	mounts2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
	mounts1 = "29 23 0:25 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n" +
		"35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n" +
		"36 31 0:33 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
)

func TestMemory(t *testing.T) {
	const kib = 1 << 10
	for name, test := range map[string]struct {
		files             map[string]string
		memory, available int64
	}{
		"nothing": {nil, 0, math.MaxInt64},
		"no control groups": {map[string]string{
			"proc/meminfo": meminfo,
		}, 1000 * kib, 600 * kib},
		"odd files": {map[string]string{
			"proc/meminfo":             "MemTotal: many kB\nMemAvailable: -5 kB\nMemTotal",
			"proc/self/cgroup":         "\n0:\nx\n::\n",
			"proc/self/mountinfo":      "\n - \n1 2 3 / /sys/fs/cgroup - cgroup2\n" + mounts2,
			"sys/fs/cgroup/memory.max": "some",
		}, 0, math.MaxInt64},
		"a group without a limit": {map[string]string{
			"proc/meminfo":                    meminfo,
			"proc/self/cgroup":                "0::/a\n",
			"proc/self/mountinfo":             mounts2,
			"sys/fs/cgroup/a/memory.max":      "max\n",
			"sys/fs/cgroup/a/memory.current":  "4096\n",
			"sys/fs/cgroup/memory.stat":       "inactive_file 1\n",
			"sys/fs/cgroup/memory.pressure":   "",
			"sys/fs/cgroup/cgroup.procs":      "1\n",
			"sys/fs/cgroup/cgroup.controller": "memory\n",
		}, 1000 * kib, 600 * kib},
		"version 2": {map[string]string{
			"proc/meminfo":                   meminfo,
			"proc/self/cgroup":               "0::/a/b\n",
			"proc/self/mountinfo":            mounts2,
			"sys/fs/cgroup/a/b/memory.max":   "max\n",
			"sys/fs/cgroup/a/memory.max":     "409600\n",
			"sys/fs/cgroup/a/memory.current": "307200\n",
			"sys/fs/cgroup/a/memory.stat":    "anon 7\nfile 204800\ninactive_file 102400\nactive_file 51200\nshmem 9\n",
		}, 400 * kib, (400 - 300 + 150) * kib},
		"the machine has less": {map[string]string{
			"proc/meminfo":                 meminfo,
			"proc/self/cgroup":             "0::/\n", // in a namespace of its own
			"proc/self/mountinfo":          mounts2,
			"sys/fs/cgroup/memory.max":     "9999999999\n",
			"sys/fs/cgroup/memory.current": "1\n",
		}, 1000 * kib, 600 * kib},
		"more in use than allowed": {map[string]string{
			"proc/self/cgroup":             "0::/\n",
			"proc/self/mountinfo":          mounts2,
			"sys/fs/cgroup/memory.max":     "1000\n",
			"sys/fs/cgroup/memory.current": "2000\n",
		}, 1000, 0},
		"version 1": {map[string]string{
			"proc/meminfo":        meminfo,
			"proc/self/cgroup":    "5:cpu:/\n4:cpuacct,memory:/a/b\n0::/\n",
			"proc/self/mountinfo": mounts1,
			"sys/fs/cgroup/memory/a/b/memory.limit_in_bytes": "512000\n",
			"sys/fs/cgroup/memory/a/b/memory.usage_in_bytes": "102400\n",
			"sys/fs/cgroup/memory/a/b/memory.stat":           "inactive_file 1\ntotal_inactive_file 51200\n",
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes":   "9223372036854771712\n",
			"sys/fs/cgroup/memory/a/memory.usage_in_bytes":   "204800\n",
		}, 500 * kib, 450 * kib},
		"a container with the paths of the host": {map[string]string{
			"proc/meminfo":        meminfo,
			"proc/self/cgroup":    "4:memory:/docker/1\n",
			"proc/self/mountinfo": "35 31 0:32 /docker/1 /sys/fs/cgroup/my\\040memory ro - cgroup cgroup rw,memory\n",
			"sys/fs/cgroup/my memory/memory.limit_in_bytes": "512000\n",
			"sys/fs/cgroup/my memory/memory.usage_in_bytes": "409600\n",
		}, 500 * kib, 100 * kib},
		"a mount of another group": {map[string]string{
			"proc/meminfo":                       meminfo,
			"proc/self/cgroup":                   "0::/a\n",
			"proc/self/mountinfo":                "30 23 0:26 /b /sys/fs/cgroup/other rw - cgroup2 cgroup2 rw\n" + mounts2,
			"sys/fs/cgroup/other/memory.max":     "4096\n",
			"sys/fs/cgroup/other/memory.current": "1\n",
			"sys/fs/cgroup/a/memory.max":         "512000\n",
			"sys/fs/cgroup/a/memory.current":     "409600\n",
		}, 500 * kib, 100 * kib},
		"a path that is not below what is mounted": {map[string]string{
			"proc/meminfo":                 meminfo,
			"proc/self/cgroup":             "0::/docker/1\n",
			"proc/self/mountinfo":          "30 23 0:26 /docker/12 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			"sys/fs/cgroup/memory.max":     "512000\n",
			"sys/fs/cgroup/memory.current": "409600\n",
		}, 500 * kib, 100 * kib},
	} {
		root := t.TempDir()
		for file, text := range test.files {
			file = filepath.Join(root, file)
			if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if got := system(root).memory(); got != test.memory {
			t.Errorf("%s: memory is %d bytes, want %d", name, got, test.memory)
		}
		if got := system(root).available(); got != test.available {
			t.Errorf("%s: %d bytes are available, want %d", name, got, test.available)
		}
	}
}

// TestThisMachine: the figures of this machine are not negative, whatever it reports.
func TestThisMachine(t *testing.T) {
	memory, available := Memory(), Available()
	t.Logf("%s/%s: cache %d, memory %d, available %d", runtime.GOOS, runtime.GOARCH, LastCache(), memory, available)
	if LastCache() <= 0 || memory < 0 || available < 0 {
		t.Errorf("cache %d, memory %d, available %d", LastCache(), memory, available)
	}
}

func BenchmarkAvailable(b *testing.B) {
	for b.Loop() {
		Available()
	}
}
