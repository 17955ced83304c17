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
func takePreferred(devices []device, problem error) ([]int, error) {
	order := preferred(devices)
	if len(order) == 0 {
		return nil, noneFor(devices, problem)
	}
	return order, nil
}

// takeMatching is takePreferred for the devices that match names.
func takeMatching(match string, devices []device, problem error) ([]int, error) {
	if len(devices) == 0 {
		return nil, noneFor(devices, problem)
	}
	order := matching(devices, match)
	if len(order) == 0 {
		return nil, noMatch(devices, match, problem)
	}
	return order, nil
}

// preferred returns the indices of the devices that Open takes, best first.
func preferred(devices []device) []int {
	return slices.DeleteFunc(ranked(devices), func(i int) bool {
		kind := devices[i].info.Kind
		return kind != "gpu" && kind != "accelerator"
	})
}

// matching returns the indices of the devices that match names, best first. A
// number that is no index is taken as a part of a name: there are devices called
// 4090.
func matching(devices []device, match string) []int {
	if match == "any" {
		return ranked(devices)
	}
	if i, err := strconv.Atoi(match); err == nil && i >= 0 && i < len(devices) {
		return []int{i}
	}
	if match == "" {
		return nil
	}
	want := strings.ToLower(match)
	return slices.DeleteFunc(ranked(devices), func(i int) bool {
		info := devices[i].info
		return !strings.Contains(strings.ToLower(deviceName(info)), want) &&
			!strings.Contains(strings.ToLower(info.Vendor), want) &&
			!strings.Contains(strings.ToLower(info.Platform), want)
	})
}

// ranked returns the indices of all devices, best first.
func ranked(devices []device) []int {
	rank := func(info compute.Info) int {
		switch {
		case info.Kind == "gpu" && !info.SharedMemory:
			return 0
		case info.Kind == "gpu":
			return 1
		case info.Kind == "accelerator":
			return 2
		}
		return 3
	}
	order := make([]int, len(devices))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		a, b := devices[i].info, devices[j].info
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Memory, a.Memory))
	})
	return order
}

// deviceName returns the name of a device without that of the backend.
func deviceName(info compute.Info) string { return strings.TrimPrefix(info.Name, "opencl ") }

// noneFor says why Open takes none of devices. problem is why devices are missing
// from the list, or nil.
func noneFor(devices []device, problem error) error {
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
func noMatch(devices []device, match string, problem error) error {
	if match == "" {
		match = `""`
	}
	err := fmt.Errorf("gpu: no OpenCL device matches %s; there are: %s: %w", match, names(devices), compute.ErrUnavailable)
	return errors.Join(err, problem)
}

func names(devices []device) string {
	var b strings.Builder
	for i, d := range devices {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d %s", i, deviceName(d.info))
	}
	return b.String()
}
