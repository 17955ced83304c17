package cpu

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"
)

// TestLeaveCore: the thread moves to another core if there is one, and may run afterwards
// where it might before.
func TestLeaveCore(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after unix.CPUSet
	if err := unix.SchedGetaffinity(0, &before); err != nil {
		t.Fatal(err)
	}
	left := false
	for range 100 { // it may be moved back at once
		core := currentCore()
		if core < 0 {
			t.Fatal("Linux does not report the core")
		}
		leaveCore(core)
		left = left || currentCore() != core
	}
	if !left && before.Count() > 1 {
		t.Errorf("with %d cores, the thread stays where it is", before.Count())
	}
	if err := unix.SchedGetaffinity(0, &after); err != nil {
		t.Fatal(err)
	}
	if after != before {
		t.Errorf("it may now run on %d cores, not %d", after.Count(), before.Count())
	}
	leaveCore(-1) // an unknown core
}
