package gpu

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gmind-go/compute"
)

// takePreferred returns the indices of the devices that Open takes, best first, or
// why there are none. problem is why devices are missing from the list, or nil.
func takePreferred(devices []candidate, problem error) ([]int, error) {
	order := preferred(devices)
	if len(order) == 0 {
		return nil, noneFor(devices, problem)
	}
	return order, nil
}

// takeMatching is takePreferred for the devices that match names.
func takeMatching(match string, devices []candidate, problem error) ([]int, error) {
	if len(devices) == 0 {
		return nil, noneFor(devices, problem)
	}
	order := matching(devices, match)
	if len(order) == 0 {
		return nil, noMatch(devices, match, problem)
	}
	return order, nil
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
// platform shows it, and by what that is known, as "PCI 0000:01:00.0"; or -1. One platform
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

// deviceName returns the name of a device without that of the backend.
func deviceName(info compute.Info) string { return strings.TrimPrefix(info.Name, "opencl ") }

// noneFor says why Open takes none of devices. problem is why devices are missing
// from the list, or nil.
func noneFor(devices []candidate, problem error) error {
	if len(devices) > 0 {
		err := fmt.Errorf("gpu: no OpenCL device is a GPU or an accelerator (there are: %s), and others are left to the cpu backend; %s=any takes one all the same: %w",
			names(devices), DeviceEnv, compute.ErrUnavailable)
		return errors.Join(err, problem)
	}
	if problem == nil {
		problem = fmt.Errorf("gpu: the OpenCL drivers that are installed show no device; check that it is plugged in, powered and permitted to this user, and that its own driver is installed: %w", compute.ErrUnavailable)
	}
	return unavailable(problem)
}

// noMatch says that none of devices is called match.
func noMatch(devices []candidate, match string, problem error) error {
	err := fmt.Errorf("gpu: no OpenCL device matches %q; there are: %s: %w", match, names(devices), compute.ErrUnavailable)
	return errors.Join(err, problem)
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
