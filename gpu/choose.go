package gpu

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/gmind-go/compute"
)

// A choice is the devices to open.
type choice struct {
	devices []candidate // all
	order   []int       // of those to open, best first
	missing error       // why devices are missing from the list, or nil
	fromEnv bool        // DeviceEnv names them
}

// named returns err, which may be nil, with what names the devices.
func (c choice) named(err error) error {
	if err != nil && c.fromEnv {
		return fmt.Errorf("%w (the device was named by %s)", err, DeviceEnv)
	}
	return err
}

// choose returns the devices that o names, or else DeviceEnv, or else those that Open takes.
func (o Options) choose() (choice, error) {
	o, err := o.resolved()
	if err != nil {
		return choice{}, err
	}
	match, env := o.Device, strings.TrimSpace(os.Getenv(DeviceEnv))
	if match == "" && strings.EqualFold(env, "none") {
		return choice{}, fmt.Errorf("gpu: OpenCL is turned off by %s=none: %w", DeviceEnv, compute.ErrUnavailable)
	}
	devices, missing := list(o)
	switch {
	case match != "":
		return takeMatching(match, devices, missing)
	case env == "":
		return takePreferred(devices, missing)
	}
	c, err := takeMatching(env, devices, missing)
	c.fromEnv = true
	return c, err
}

// takePreferred returns the devices that Open takes, or why there are none.
func takePreferred(devices []candidate, missing error) (choice, error) {
	order := preferred(devices)
	if len(order) == 0 {
		return choice{}, noneFor(devices, missing)
	}
	return choice{devices: devices, order: order, missing: missing}, nil
}

// takeMatching returns the devices that match names, or why there are none.
func takeMatching(match string, devices []candidate, missing error) (choice, error) {
	if len(devices) == 0 {
		return choice{}, noneFor(devices, missing)
	}
	order := matching(devices, match)
	if len(order) == 0 {
		return choice{}, noMatch(devices, match, missing)
	}
	return choice{devices: devices, order: order, missing: missing}, nil
}

// preferred returns the indices of the devices that Open takes, best first: GPUs and
// accelerators, unless they are the CPU by another name, for which package cpu is made.
func preferred(devices []candidate) []int {
	return slices.DeleteFunc(ranked(devices), func(i int) bool {
		kind := devices[i].info.Kind
		return kind != "gpu" && kind != "accelerator" || devices[i].software
	})
}

// matching returns the indices of the devices that match names, best first. A
// number that is no index is taken as a part of a name: there are devices called
// 4090.
func matching(devices []candidate, match string) []int {
	want := strings.ToLower(strings.TrimSpace(match))
	if want == "any" {
		return ranked(devices)
	}
	if i, err := strconv.Atoi(want); err == nil && i >= 0 && i < len(devices) {
		return []int{i}
	}
	if want == "" {
		return nil
	}
	return slices.DeleteFunc(ranked(devices), func(i int) bool {
		info := devices[i].info
		return !strings.Contains(strings.ToLower(deviceName(info)), want) &&
			!strings.Contains(strings.ToLower(info.Vendor), want) &&
			!strings.Contains(strings.ToLower(info.Platform), want)
	})
}

// ranked returns the indices of all devices, best first.
func ranked(devices []candidate) []int {
	rank := func(c candidate) int {
		switch {
		case c.software:
			return 3
		case c.info.Kind == "gpu" && !c.info.SharedMemory:
			return 0
		case c.info.Kind == "gpu":
			return 1
		case c.info.Kind == "accelerator":
			return 2
		}
		return 3
	}
	order := make([]int, len(devices))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := devices[i], devices[j]
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.info.Memory, a.info.Memory))
	})
	return order
}

// sameHardware returns the index, of those in others, of a device that is i as another
// platform shows it, and how that is known, such as "PCI 0000:01:00.0"; or -1. One platform
// shows parts of a device as devices, which have its address.
func sameHardware(devices []candidate, i int, others []int) (int, string) {
	for _, j := range others {
		if devices[i].platform == devices[j].platform {
			continue
		}
		for _, id := range devices[i].hardware {
			if slices.Contains(devices[j].hardware, id) {
				return j, id
			}
		}
	}
	return -1, ""
}

// deviceName returns the name of a device without the prefix of the backend.
func deviceName(info compute.Info) string { return strings.TrimPrefix(info.Name, "opencl ") }

// noneFor returns why Open takes none of devices. missing is why devices are missing
// from the list, or nil.
func noneFor(devices []candidate, missing error) error {
	if len(devices) > 0 {
		err := fmt.Errorf("gpu: no OpenCL device is a GPU or an accelerator (there are: %s), and others are left to the cpu backend; %s=any takes one all the same: %w",
			names(devices), DeviceEnv, compute.ErrUnavailable)
		return errors.Join(err, missing)
	}
	if missing == nil {
		missing = fmt.Errorf("gpu: the OpenCL drivers that are installed show no device; check that it is plugged in, powered and permitted to this user, and that its own driver is installed: %w", compute.ErrUnavailable)
	}
	return unavailable(missing)
}

// noMatch returns the error for a match that names none of devices.
func noMatch(devices []candidate, match string, missing error) error {
	err := fmt.Errorf("gpu: no OpenCL device matches %q; there are: %s: %w", match, names(devices), compute.ErrUnavailable)
	return errors.Join(err, missing)
}

func names(devices []candidate) string {
	var b strings.Builder
	for i, d := range devices {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d %s", i, deviceName(d.info))
		if d.software {
			b.WriteString(" (simulated on the CPU)")
		}
	}
	return b.String()
}
