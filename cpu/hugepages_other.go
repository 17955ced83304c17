//go:build unix && !linux

package cpu

// adviseHugePages does nothing where a program has no say in it.
func adviseHugePages([]byte) {}
