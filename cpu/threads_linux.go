package cpu

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// yieldThread lets other threads have this core, if any wait for it.
func yieldThread() { unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// currentCore returns the number of the core that this thread runs on, or -1.
func currentCore() int {
	var core uint32
	if _, _, errno := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&core)), 0, 0); errno != 0 {
		return -1
	}
	return int(core)
}

// leaveCore moves this thread away if it runs on that core, and may run on others.
// Linux may wake a thread on the very core of the one that wakes it, in virtual
// machines above all, where an idle core can look like one that is not there, and
// leave it there for long, since one that yields looks like no load.
func leaveCore(core int) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if core < 0 || currentCore() != core {
		return
	}
	var allowed unix.CPUSet
	if unix.SchedGetaffinity(0, &allowed) != nil {
		return
	}
	others := allowed
	others.Clear(core)
	if others.Count() == 0 || unix.SchedSetaffinity(0, &others) != nil {
		return
	}
	// It has moved; from here on it may go where it might before. This can fail only
	// if the cores were taken away in between, and then their set is the new one.
	_ = unix.SchedSetaffinity(0, &allowed)
}
