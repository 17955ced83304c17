package testenv

import (
	"bytes"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
)

// Resident returns the resident size of the process, in bytes, after the memory that
// nothing uses any more has been given back to the system.
func Resident(t testing.TB) int64 {
	t.Helper()
	debug.FreeOSMemory()
	statm, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(string(bytes.Fields(statm)[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
