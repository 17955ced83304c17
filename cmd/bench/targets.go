package main

import (
	"fmt"
	"io"
	"os"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/doctor"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/shard"
)

// findDevices lists the OpenCL devices in a child process, since a driver may crash or
// hang. avoid is why this process must not use OpenCL, or nil.
func findDevices(c *config) (found doctor.Reply, avoid error) {
	if c.backend == "cpu" || c.device == "" && os.Getenv(gpu.DeviceEnv) == "none" {
		return found, nil // OpenCL is not asked for
	}
	found, err := doctor.List(c.timeout)
	if err != nil {
		return found, fmt.Errorf("gpu: listing the OpenCL devices: %w; OpenCL is left alone (bench devices shows more, %s=none turns it off): %w",
			err, gpu.DeviceEnv, compute.ErrUnavailable)
	}
	return found, nil
}

// listDevices prints the devices, and prints and returns why OpenCL devices are missing,
// or "".
func listDevices(w io.Writer, found doctor.Reply) string {
	fmt.Fprintln(w, "devices")
	fmt.Fprintln(w, "  cpu")
	for i, info := range found.Devices {
		shared := ""
		if info.SharedMemory {
			shared = ", shared with the host"
		}
		fmt.Fprintln(w, report.Wrap(fmt.Sprintf("  %s, -device %d: %s, %s, %s, driver %s, %.1f\u00a0GB%s",
			info.Name, i, info.Kind, info.Vendor, info.Platform, info.Driver, float64(info.Memory)/1e9, shared), "    "))
	}
	if found.Problem != "" {
		fmt.Fprintln(w, report.Wrap("  not listed: "+found.Problem, "    "))
	}
	return found.Problem
}

// A target is a backend to measure.
type target struct {
	compute.Backend
	limits bool // measure only the limits, not the operations
	member bool // of a Shard that is a later target, and closes it
}

// An opener opens the targets, without OpenCL if avoid is not nil. reason is why a device
// that was not named is missing; err is why one that was named cannot be used.
type opener func(c *config, avoid error) (targets []target, reason, err error)

// openTargets is the opener of the program.
func openTargets(c *config, avoid error) (targets []target, reason, err error) {
	b, err := cpu.Open()
	if err != nil {
		return nil, nil, err
	}
	// The copy on the host is also a limit of transfers to a device.
	targets = []target{{Backend: b, limits: c.backend == "opencl"}}
	var opened []compute.Backend
	named, all := c.backend == "opencl" || c.device != "", c.device == "all"
	switch env := os.Getenv(gpu.DeviceEnv); {
	case c.backend == "cpu":
	case avoid != nil:
		reason = avoid
	case all:
		opened, reason = gpu.Options{Device: "any"}.OpenAll()
	case c.device != "":
		opened, reason = openOne(gpu.OpenDevice(c.device))
	case env != "": // the name of a device, or none
		opened, reason = openOne(gpu.Open)
		named = named || env != "none"
	default:
		opened, reason = gpu.OpenAll()
	}
	if named && len(opened) == 0 {
		return targets, nil, reason
	}
	sharded := all && len(opened) > 1
	for _, b := range opened {
		targets = append(targets, target{Backend: b, member: sharded})
	}
	if sharded {
		b, err := shard.New(opened...)
		if err != nil {
			return targets, nil, err
		}
		targets = append(targets, target{Backend: b})
	}
	return targets, reason, nil
}

// openOne opens one device, and returns why others were skipped, or why it cannot be opened.
func openOne(open compute.Opener) (opened []compute.Backend, reason error) {
	b, err := open()
	if err != nil {
		return nil, err
	}
	return []compute.Backend{b}, b.Info().Skipped
}
