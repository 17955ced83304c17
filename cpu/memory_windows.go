package cpu

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

// mapMemory returns a mapping of at least bytes from start on.
func mapMemory(bytes int) (mapping []byte, start int, err error) {
	addr, err := windows.VirtualAlloc(0, uintptr(bytes), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return nil, 0, fmt.Errorf("VirtualAlloc: %w", err)
	}
	// The garbage collector does not manage this address: it may be read as a pointer.
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&addr)), bytes), 0, nil
}

func unmapMemory(mapping []byte) {
	// It can only fail for memory that mapMemory did not return.
	_ = windows.VirtualFree(uintptr(unsafe.Pointer(unsafe.SliceData(mapping))), 0, windows.MEM_RELEASE)
}
