// Package host reports the caches and the memory of this machine, as far as this
// process may use them. The CPU backend and the benchmark decide by the same figures.
package host

import (
	"bufio"
	"fmt"
	"math"
	"os"

	"github.com/klauspost/cpuid/v2"
)

// LastCache returns the size of the last-level cache in bytes, or, where the processor
// does not report it, as in some virtual machines, that of a common one.
func LastCache() int {
	cache := cpuid.CPU.Cache // -1 is not reported, 0 is none
	switch {
	case cache.L3 > 0:
		return cache.L3
	case cache.L3 == 0 && cache.L2 > 0:
		return cache.L2
	}
	return 32 << 20
}

// Memory returns the bytes of memory that the machine has, or 0 where the system does
// not report it.
func Memory() int64 { return meminfo("MemTotal") }

// Available returns the bytes of memory that this process can still use without
// swapping, or math.MaxInt64 where the system does not report it.
func Available() int64 {
	if free := meminfo("MemAvailable"); free > 0 {
		return free
	}
	return math.MaxInt64
}

// meminfo returns a line of /proc/meminfo in bytes, or 0 if there is none.
func meminfo(name string) int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kib int64
		if n, _ := fmt.Sscanf(lines.Text(), name+": %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}
