//go:build opencl && cgo

package gpu

import (
	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
)

// inside returns the device that b, which this package opened, computes on.
func inside(b compute.Backend) *device {
	front, _ := compute.As[*driver.Backend](b)
	return front.Device().(*device)
}
