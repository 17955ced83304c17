// Package host reports the caches and the memory of this machine, as far as this
// process may use them. The CPU backend and the benchmark decide by the same figures.
package host

import (
	"math"
	"runtime"

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

// Memory returns the bytes of memory that this process can have at most: those of the
// machine, or of the smallest control group that the process is in. It returns 0 where
// the system does not report them.
func Memory() int64 {
	if runtime.GOOS != "linux" { // where such files may be anything
		return 0
	}
	return system("").memory()
}

// Available returns the bytes of memory that this process can still use without
// swapping: those of the machine, or what is left of the limits of its control groups. It
// returns math.MaxInt64 where the system does not report them.
func Available() int64 {
	if runtime.GOOS != "linux" {
		return math.MaxInt64
	}
	return system("").available()
}

// A system is where the files of /proc and /sys are: below that directory.
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
