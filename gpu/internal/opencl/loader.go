//go:build opencl && cgo

package opencl

// #cgo linux freebsd LDFLAGS: -Wl,--as-needed
// #cgo linux LDFLAGS: -ldl -lpthread
// #include "loader.h"
//
// #ifdef __APPLE__ // where the framework is a part of the system, and linked
// const char *compute_load_opencl(void) { return NULL; }
// #endif
import "C"

import (
	"fmt"

	"github.com/gmind-go/compute"
)

// load finds the OpenCL loader, for the functions of loader.c. Its error wraps
// compute.ErrUnavailable with the reason.
func load() error {
	if reason := C.compute_load_opencl(); reason != nil {
		return fmt.Errorf("the OpenCL loader cannot be loaded (%s); it comes with the driver of the device, or as a package like Debian's ocl-icd-libopencl1: %w", C.GoString(reason), compute.ErrUnavailable)
	}
	return nil
}
