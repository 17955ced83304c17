// Package host reports the caches and the memory that this process may use. The CPU backend
// and the benchmark use the same figures.
package host

import (
	"math"
	"runtime"

	"github.com/klauspost/cpuid/v2"
)

// LastCache returns the size of the last-level cache in bytes, or 32 MiB if the processor
// does not report it, as in some virtual machines.
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

// Memory returns the most bytes of memory that this process can have: the memory of the
// machine, or the smallest limit of its control groups. It returns 0 if the system does
// not report them.
func Memory() int64 {
	if runtime.GOOS != "linux" { // elsewhere these files may be anything
		return 0
	}
	return system("").memory()
}

// Available returns the bytes of memory that this process can still use without swapping: the
// free memory of the machine, or what its control groups have left, whichever is less. It
// returns math.MaxInt64 if the system does not report them.
func Available() int64 {
	if runtime.GOOS != "linux" {
		return math.MaxInt64
	}
	return system("").available()
}

// A system is the directory that has /proc and /sys.
type system string

func (s system) memory() int64 {
	least := int64(math.MaxInt64)
	if total, ok := s.meminfo("MemTotal"); ok {
		least = total
	}
	for _, g := range s.groups() {
		least = min(least, g.limit)
	}
	if least == math.MaxInt64 {
		return 0
	}
	return least
}

func (s system) available() int64 {
	least := int64(math.MaxInt64)
	if free, ok := s.meminfo("MemAvailable"); ok {
		least = free
	}
	for _, g := range s.groups() {
		least = min(least, max(g.limit-g.used, 0))
	}
	return least
}
