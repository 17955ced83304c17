//go:build opencl && cgo

package opencl

// #cgo linux freebsd LDFLAGS: -Wl,--as-needed
// #cgo linux LDFLAGS: -ldl
// #include "loader.h"
//
// #ifdef __APPLE__ // where the framework is a part of the system, and linked
// const char *compute_load_opencl(void) { return NULL; }
// #endif
import "C"

import (
	"fmt"
	"sync"

	"github.com/gmind-go/compute"
)

// load finds the OpenCL loader and makes it serve the binding, once in a process. Its
// error wraps compute.ErrUnavailable and says why there is none.
var load = sync.OnceValue(func() error {
	if reason := C.compute_load_opencl(); reason != nil {
		return fmt.Errorf("the OpenCL loader cannot be loaded (%s); install it (Debian: ocl-icd-libopencl1) with the driver of your device: %w", C.GoString(reason), compute.ErrUnavailable)
	}
	return nil
})
