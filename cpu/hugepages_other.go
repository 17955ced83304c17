//go:build unix && !linux

package cpu

// adviseHugePages does nothing on systems without such advice.
func adviseHugePages([]byte) {}
