package cpu

import "github.com/klauspost/cpuid/v2"

// lastCache returns the size of the last cache in bytes, or, where the processor
// does not tell, as in some virtual machines, that of a common one.
func lastCache() int {
	cache := cpuid.CPU.Cache // -1 is not told, 0 is none
	switch {
	case cache.L3 > 0:
		return cache.L3
	case cache.L3 == 0 && cache.L2 > 0:
		return cache.L2
	}
	return 32 << 20
}
