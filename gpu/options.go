package gpu

import (
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/gmind-go/compute"
)

// StreamMemoryEnv is the environment variable that gives Options.StreamMemory
// where that is 0: a number of bytes such as 67108864, 64Mi or 1Gi.
const StreamMemoryEnv = "COMPUTE_OPENCL_STREAM_MEMORY"

// Options choose a device and how it is used. The method Open is a
// compute.Opener:
//
//	compute.Open(gpu.Options{StreamMemory: 256 << 20}.Open, cpu.Open)
type Options struct {
	// Device names a device, as for OpenDevice. Empty is the choice of the
	// function Open.
	Device string

	// StreamMemory is the most memory of the device, in bytes, that Stream works
	// in at a time; a device with memory of its own takes as much of the host for
	// the transfers. 0 means StreamMemoryEnv, or 16 MiB if that is not set; more gains
	// nothing. The least is 4096.
	StreamMemory int64

	// Staged makes a device that works in the memory of the host be used like one
	// with memory of its own: all data is copied to it and from it. It is slower,
	// and for tests.
	Staged bool
}

const (
	defaultStreamMemory = 16 << 20
	minStreamMemory     = 4096
)

// Open opens the device. It returns the errors of the function Open, and one for an option
// or a StreamMemoryEnv that is out of range, which does not wrap compute.ErrUnavailable, so
// that compute.Open returns it.
func (o Options) Open() (compute.Backend, error) {
	return openFirst(o.choose())
}

// OpenAll opens all devices that Device matches, or those of the function OpenAll if Device
// is empty. It returns the errors of the function OpenAll and of Options.Open.
func (o Options) OpenAll() ([]compute.Backend, error) {
	return openEach(o.choose())
}

// resolved returns o with the environment and the defaults in it.
func (o Options) resolved() (Options, error) {
	if o.StreamMemory < 0 || o.StreamMemory > 0 && o.StreamMemory < minStreamMemory {
		return o, fmt.Errorf("gpu: open: Options.StreamMemory is %d bytes; give %d or more, or 0 for the default", o.StreamMemory, minStreamMemory)
	}
	if o.StreamMemory > 0 {
		return o, nil
	}
	o.StreamMemory = defaultStreamMemory
	text := os.Getenv(StreamMemoryEnv)
	if text == "" {
		return o, nil
	}
	bytes, ok := parseBytes(text)
	if !ok || bytes < minStreamMemory {
		return o, fmt.Errorf("gpu: open: the environment variable %s is %q; give a number of bytes, %d or more, such as 64Mi", StreamMemoryEnv, text, minStreamMemory)
	}
	o.StreamMemory = bytes
	return o, nil
}

// parseBytes parses a number of bytes such as 4096, 64Ki, 64Mi or 1Gi.
func parseBytes(text string) (int64, bool) {
	shift := 0
	for suffix, s := range map[string]int{"Ki": 10, "Mi": 20, "Gi": 30} {
		if digits, ok := strings.CutSuffix(text, suffix); ok {
			text, shift = digits, s
			break
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < 0 || n > 1<<62>>shift {
		return 0, false
	}
	return n << shift, true
}
