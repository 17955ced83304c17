// Package gpu is the OpenCL backend.
//
// The package compiles everywhere; OpenCL itself is in it when it is built with
// the tag opencl and with cgo, which takes a C compiler and the OpenCL headers. Such a
// program finds the OpenCL loader when it opens a device, and runs without one. Built
// without, Open and OpenDevice return an error that wraps compute.ErrUnavailable and
// says so, and compute.Open(gpu.Open, cpu.Open) is the CPU backend.
package gpu

import (
	"errors"
	"fmt"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
)

// DeviceEnv is the environment variable that Open reads. Its value is a match
// as for OpenDevice, or "none", which turns OpenCL off.
const DeviceEnv = "COMPUTE_OPENCL_DEVICE"

// Open opens the best OpenCL device: a GPU with memory of its own, then one that
// shares the memory of the host, then an accelerator; of equals the one with
// more memory. It never takes a CPU-type device, nor a GPU or an accelerator that a
// driver simulates on the CPU, since package cpu is faster there; OpenDevice takes them. The
// environment variable COMPUTE_OPENCL_DEVICE, if set, names the device instead.
//
// A device that cannot be opened, or that fails the self-test on special values,
// is passed over, and Info().Skipped of the backend has the reason. If none is left, the
// error wraps compute.ErrUnavailable and the reason for each.
func Open() (compute.Backend, error) { return Options{}.Open() }

// OpenAll opens every device that Open would take, best first: all GPUs and
// accelerators, or, with COMPUTE_OPENCL_DEVICE set, all that match it, so that "any"
// takes CPU-type devices too. A GPU that several platforms show, by its PCI address or
// UUID, is opened once. shard.New makes one backend of them.
//
// The error joins the reasons why devices were passed over, and is nil if none was. It may
// be set when there are backends; it wraps compute.ErrUnavailable if there are none.
func OpenAll() ([]compute.Backend, error) { return Options{}.OpenAll() }

// OpenDevice returns an opener for the device that match names: its index in the
// list of Devices, or a part of its name, vendor or platform in any case, or
// "any". Of several it is the best, in the order of Open, with CPU-type devices, and
// what is simulated on the CPU, last.
func OpenDevice(match string) compute.Opener {
	return func() (compute.Backend, error) {
		o, err := Options{Device: match}.resolved()
		if err != nil {
			return nil, err
		}
		devices, missing := list(o)
		return openFirst(takeMatching(match, devices, missing))
	}
}

// Devices describes the OpenCL devices of all platforms, in the order that
// OpenDevice counts them. It opens none of them, so what only a self-test shows
// is not known. The error joins the reasons why devices are missing from the
// list; it wraps compute.ErrUnavailable when the list is empty.
func Devices() ([]compute.Info, error) {
	devices, missing := list(Options{})
	if len(devices) == 0 {
		return nil, noneFor(devices, missing)
	}
	infos := make([]compute.Info, len(devices))
	for i, d := range devices {
		infos[i] = d.info
	}
	return infos, missing
}

// A candidate is a device that can be opened.
type candidate struct {
	info     compute.Info
	software bool     // a GPU or an accelerator by its type, which computes on the CPU
	platform int      // index of its platform
	hardware []string // what identifies it across platforms, such as its PCI address
	open     func() (compute.Backend, error)
}

// openFirst opens the first device of c that can be opened and computes correctly. err is the
// reason why c is empty, or nil.
func openFirst(c choice, err error) (compute.Backend, error) {
	if err != nil {
		return nil, c.named(err)
	}
	skipped := c.missing
	for _, i := range c.order {
		b, err := c.devices[i].openTested(i)
		if err == nil {
			b.skipped = skipped
			return b, nil
		}
		skipped = errors.Join(skipped, err)
	}
	return nil, c.named(unavailable(skipped))
}

// openEach opens every device of c that can be opened and computes correctly. Its error joins
// why others are missing or were passed over. err is the reason why c is empty, or nil.
func openEach(c choice, err error) (all []compute.Backend, skipped error) {
	if err != nil {
		return nil, c.named(err)
	}
	skipped = c.missing
	var taken []int
	for _, i := range c.order {
		if j, by := sameHardware(c.devices, i, taken); j >= 0 {
			skipped = errors.Join(skipped, fmt.Errorf("gpu: device %d (%s) is device %d (%s), as another platform shows it (%s)", i, c.devices[i].info.Name, j, c.devices[j].info.Name, by))
			continue
		}
		b, err := c.devices[i].openTested(i)
		if err != nil {
			skipped = errors.Join(skipped, err)
			continue
		}
		all, taken = append(all, b), append(taken, i)
	}
	if len(all) == 0 {
		return nil, c.named(unavailable(skipped))
	}
	return all, c.named(skipped)
}

// openTested opens c, which is at index i of the list, and closes it again if it
// fails the self-test.
func (c candidate) openTested(i int) (*opened, error) {
	b, err := c.open()
	if err == nil {
		var flushes bool
		if flushes, err = selfTest(b); err == nil {
			if front, ok := b.(*driver.Backend); ok && flushes {
				if d, ok := front.Device().(interface{ Flushes() }); ok {
					d.Flushes()
				}
			}
			return &opened{Backend: b, flushes: flushes}, nil
		}
		err = errors.Join(err, b.Close())
	}
	return nil, fmt.Errorf("gpu: device %d (%s): %w", i, c.info.Name, err)
}

// unavailable makes err wrap compute.ErrUnavailable.
func unavailable(err error) error {
	if errors.Is(err, compute.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", err, compute.ErrUnavailable)
}

// opened is a backend that has passed the self-test, with what that found.
type opened struct {
	compute.Backend
	flushes bool
	skipped error
}

// Info adds the results of opening the device.
func (b *opened) Info() compute.Info {
	info := b.Backend.Info()
	info.FlushesSubnormals = info.FlushesSubnormals || b.flushes
	info.Skipped = b.skipped
	return info
}

// Unwrap is for compute.As.
func (b *opened) Unwrap() compute.Backend { return b.Backend }
