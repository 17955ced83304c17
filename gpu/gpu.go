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
	"os"
	"strings"

	"github.com/gmind-go/compute"
)

// DeviceEnv is the environment variable that Open honours. Its value is a match
// as for OpenDevice, or "none", which turns OpenCL off.
const DeviceEnv = "COMPUTE_OPENCL_DEVICE"

// Open opens the best OpenCL device: a GPU with memory of its own, then one that
// shares the memory of the host, then an accelerator; of two alike the one with
// more memory. It never takes a CPU-type device, nor a GPU or an accelerator that a
// driver simulates on the CPU, since package cpu is faster there; OpenDevice does. The
// environment variable COMPUTE_OPENCL_DEVICE, if set, names the device instead.
//
// A device that cannot be opened, or that fails the self-test on special values,
// is passed over; Info().Skipped of the backend tells. Where none is left the
// error wraps compute.ErrUnavailable and the reason of each.
func Open() (compute.Backend, error) { return Options{}.Open() }

// OpenAll opens every device that Open would take, best first: all GPUs and
// accelerators, or, with COMPUTE_OPENCL_DEVICE set, all that match it, so that "any"
// takes CPU-type devices too. A GPU that several platforms show, by its PCI address or
// UUID, is opened once. shard.New makes one backend of them.
//
// Beside the backends, the error joins why devices were passed over; it is nil when
// none was. It wraps compute.ErrUnavailable when nothing can be opened: look whether
// there are backends, and not at the error, to know.
func OpenAll() ([]compute.Backend, error) { return Options{}.OpenAll() }

// openNamed opens, with matching, what o names, or else what DeviceEnv names; if
// neither does, it opens with preferred.
func openNamed[T any](o Options, preferred func([]device, error) (T, error), matching func(string, []device, error) (T, error)) (opened T, err error) {
	if o, err = o.resolved(); err != nil {
		return opened, err
	}
	env := strings.TrimSpace(os.Getenv(DeviceEnv))
	switch {
	case o.Device != "":
		devices, problem := list(o)
		return matching(o.Device, devices, problem)
	case env == "":
		return preferred(list(o))
	case strings.EqualFold(env, "none"):
		return opened, fmt.Errorf("gpu: OpenCL is turned off by %s=none: %w", DeviceEnv, compute.ErrUnavailable)
	}
	devices, problem := list(o)
	opened, err = matching(env, devices, problem)
	if err != nil {
		err = fmt.Errorf("%w (the device was named by %s)", err, DeviceEnv)
	}
	return opened, err
}

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
		devices, problem := list(o)
		return openMatching(match, devices, problem)
	}
}

// Devices describes the OpenCL devices of all platforms, in the order that
// OpenDevice counts them. It opens none of them, so what only a self-test shows
// is not known. The error joins the reasons why devices are missing from the
// list; it wraps compute.ErrUnavailable when the list is empty.
func Devices() ([]compute.Info, error) {
	devices, problem := list(Options{})
	if len(devices) == 0 {
		return nil, noneFor(devices, problem)
	}
	infos := make([]compute.Info, len(devices))
	for i, d := range devices {
		infos[i] = d.info
	}
	return infos, problem
}

// A device is one that can be opened.
type device struct {
	info     compute.Info
	software bool     // it says that it is a GPU or an accelerator, and is the CPU
	platform int      // index of its platform
	hardware []string // what identifies it over platforms, as its PCI address
	open     func() (compute.Backend, error)
}

// openPreferred opens the best of devices that Open takes. problem is why devices
// are missing from the list, or nil.
func openPreferred(devices []device, problem error) (compute.Backend, error) {
	order, err := takePreferred(devices, problem)
	if err != nil {
		return nil, err
	}
	return openFirst(devices, order, problem)
}

// openMatching opens the best of devices that match names.
func openMatching(match string, devices []device, problem error) (compute.Backend, error) {
	order, err := takeMatching(match, devices, problem)
	if err != nil {
		return nil, err
	}
	return openFirst(devices, order, problem)
}

// openAllPreferred is openPreferred for all.
func openAllPreferred(devices []device, problem error) ([]compute.Backend, error) {
	order, err := takePreferred(devices, problem)
	if err != nil {
		return nil, err
	}
	return openEach(devices, order, problem)
}

// openAllMatching is openMatching for all.
func openAllMatching(match string, devices []device, problem error) ([]compute.Backend, error) {
	order, err := takeMatching(match, devices, problem)
	if err != nil {
		return nil, err
	}
	return openEach(devices, order, problem)
}

// openFirst opens the first device of order that can be opened and computes
// right. skipped is why devices are missing from the list, or nil.
func openFirst(devices []device, order []int, skipped error) (compute.Backend, error) {
	for _, i := range order {
		b, err := devices[i].openTested(i)
		if err == nil {
			b.skipped = skipped
			return b, nil
		}
		skipped = errors.Join(skipped, err)
	}
	return nil, unavailable(skipped)
}

// openEach opens every device of order that can be opened and computes right. Its
// error joins why others were passed over to skipped, which is as for openFirst.
func openEach(devices []device, order []int, skipped error) ([]compute.Backend, error) {
	var all []compute.Backend
	var taken []int
	for _, i := range order {
		if j, by := sameHardware(devices, i, taken); j >= 0 {
			skipped = errors.Join(skipped, fmt.Errorf("gpu: device %d (%s) is device %d (%s), as another platform shows it (%s)", i, devices[i].info.Name, j, devices[j].info.Name, by))
			continue
		}
		b, err := devices[i].openTested(i)
		if err != nil {
			skipped = errors.Join(skipped, err)
			continue
		}
		all, taken = append(all, b), append(taken, i)
	}
	if len(all) == 0 {
		return nil, unavailable(skipped)
	}
	return all, skipped
}

// openTested opens d, which stands at index i of the list, and closes it again if it
// fails the self-test.
func (d device) openTested(i int) (*opened, error) {
	b, err := d.open()
	if err == nil {
		var flushes bool
		if flushes, err = selfTest(b); err == nil {
			return &opened{Backend: b, flushes: flushes}, nil
		}
		err = errors.Join(err, b.Close())
	}
	return nil, fmt.Errorf("gpu: device %d (%s): %w", i, d.info.Name, err)
}

// unavailable makes err wrap compute.ErrUnavailable.
func unavailable(err error) error {
	if errors.Is(err, compute.ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: %w", err, compute.ErrUnavailable)
}

// opened is a backend that has passed the self-test, with what was learnt on the
// way.
type opened struct {
	compute.Backend
	flushes bool
	skipped error
}

// Info adds what opening the device has shown.
func (b *opened) Info() compute.Info {
	info := b.Backend.Info()
	info.FlushesSubnormals = b.flushes
	info.Skipped = b.skipped
	return info
}

// Unwrap is for compute.As.
func (b *opened) Unwrap() compute.Backend { return b.Backend }
