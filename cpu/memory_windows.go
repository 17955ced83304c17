package cpu

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/windows"
)

func mapMemory(n int) ([]float32, error) {
	addr, err := windows.VirtualAlloc(0, uintptr(4*n), windows.MEM_RESERVE|windows.MEM_COMMIT, windows.PAGE_READWRITE)
	if err != nil {
		return nil, fmt.Errorf("VirtualAlloc: %w", err)
	}
	// The pointer is read as such: it is no address that Go's collector manages.
	return unsafe.Slice(*(**float32)(unsafe.Pointer(&addr)), n), nil
}

func unmapMemory(data []float32) {
	// It can only fail for memory that mapMemory did not return.
	_ = windows.VirtualFree(uintptr(unsafe.Pointer(unsafe.SliceData(data))), 0, windows.MEM_RELEASE)
}
