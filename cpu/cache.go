package cpu

import "github.com/klauspost/cpuid/v2"

// lastCache returns the size of the largest cache in bytes, or, where the
// processor does not tell, that of a common one.
func lastCache() int {
	if size := max(cpuid.CPU.Cache.L3, cpuid.CPU.Cache.L2); size > 0 {
		return size
	}
	return 32 << 20
}
