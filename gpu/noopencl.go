//go:build !opencl || !cgo

package gpu

import (
	"fmt"

	"github.com/gmind-go/compute"
)

// Built reports whether this build contains OpenCL.
const Built = false

// list has no devices in a build without OpenCL.
func list(Options) ([]candidate, error) {
	return nil, fmt.Errorf("gpu: built without OpenCL (rebuild with -tags opencl and CGO_ENABLED=1): %w", compute.ErrUnavailable)
}
