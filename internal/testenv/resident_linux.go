package testenv

import (
	"bytes"
	"os"
	"regexp"
	"runtime/debug"
	"strconv"
	"testing"
)

// Resident returns unused memory to the system, and then the resident size of the process,
// in bytes. If the system does not report it, it calls Lacking.
func Resident(t testing.TB) int64 {
	t.Helper()
	debug.FreeOSMemory()
	// Since Linux 6.2, statm is inexact by some pages per core.
	rollup, _ := os.ReadFile("/proc/self/smaps_rollup")
	if m := regexp.MustCompile(`(?m)^Rss: *(\d+) kB$`).FindSubmatch(rollup); m != nil {
		return number(t, m[1]) << 10
	}
	statm, _ := os.ReadFile("/proc/self/statm")
	fields := bytes.Fields(statm)
	if len(fields) < 2 {
		Lacking(t, "a system that reports the resident size in /proc/self")
	}
	return number(t, fields[1]) * int64(os.Getpagesize())
}

func number(t testing.TB, digits []byte) int64 {
	t.Helper()
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}
