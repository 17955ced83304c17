package cpu

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// yieldThread yields this core to other threads that wait for it.
func yieldThread() { unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }

// currentCore returns the number of the core that this thread runs on, or -1.
func currentCore() int {
	var core uint32
	if _, _, errno := unix.RawSyscall(unix.SYS_GETCPU, uintptr(unsafe.Pointer(&core)), 0, 0); errno != 0 {
		return -1
	}
	return int(core)
}

// leaveCore moves this thread to another core if it runs on that one, and may run on others.
// Linux may wake a thread on the core of the thread that wakes it, above all in virtual
// machines, where an idle core can look like an absent one; and leave it there for long,
// since a thread that yields looks like no load.
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
	// It has moved, and may run again where it might before. This can fail only if the
	// cores were taken away in between, and then the new set holds.
	_ = unix.SchedSetaffinity(0, &allowed)
}
