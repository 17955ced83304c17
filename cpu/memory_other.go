//go:build !unix && !windows

package cpu

import (
	"fmt"
	"unsafe"
)

// mapMemory takes from Go's heap, which refuses only what no address space
// holds.
func mapMemory(bytes int) (mapping []byte, start int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	const line = 64
	mapping = make([]byte, bytes+line)
	return mapping, int(-uintptr(unsafe.Pointer(&mapping[0])) & (line - 1)), nil
}

func unmapMemory([]byte) {}
