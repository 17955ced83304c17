package cpu

import "golang.org/x/sys/unix"

// yieldThread lets other threads have this core, if any wait for it.
func yieldThread() { unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0) }
