//go:build !unix && !windows

package cpu

import (
	"fmt"
	"unsafe"
)

// mapMemory uses Go's heap. It returns an error only for sizes that no address space has.
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
