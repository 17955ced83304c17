//go:build !linux

package cpu

// yieldThread does nothing on systems without such a call in Go.
func yieldThread() {}

func currentCore() int { return -1 }

func leaveCore(int) {}
