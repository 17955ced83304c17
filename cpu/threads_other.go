//go:build !linux

package cpu

// yieldThread does nothing where Go has no such call.
func yieldThread() {}

func currentCore() int { return -1 }

func leaveCore(int) {}
