//go:build unix

package cpu

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hugePage is the size of a huge page, in bytes, on the common systems.
const hugePage = 2 << 20

// mapMemory returns a mapping of at least bytes from start on, which is the start of a page,
// or of a huge page if the memory fills one.
func mapMemory(bytes int) (mapping []byte, start int, err error) {
	size := bytes
	if bytes >= hugePage {
		size += hugePage // to align it
	}
	mapping, err = unix.Mmap(-1, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, 0, fmt.Errorf("mmap: %w", err)
	}
	if bytes >= hugePage {
		start = int(-uintptr(unsafe.Pointer(&mapping[0])) & (hugePage - 1))
		adviseHugePages(mapping[start : start+bytes])
	}
	return mapping, start, nil
}

func unmapMemory(mapping []byte) {
	// It can only fail for memory that mapMemory did not return.
	_ = unix.Munmap(mapping)
}
