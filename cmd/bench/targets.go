package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/shard"
)

// findDevices lists the OpenCL devices in a child, which a driver may crash or hold
// up. avoid tells why OpenCL is not to be touched in this process, or is nil.
func findDevices(c config) (found answer, avoid error) {
	if c.backend == "cpu" || c.device == "" && os.Getenv(gpu.DeviceEnv) == "none" {
		return found, nil // the drivers are not asked for
	}
	found, err := ask(c.timeout, nil)
	if err != nil {
		return found, fmt.Errorf("gpu: listing the OpenCL devices: %w; OpenCL is left alone (bench devices tells more, %s=none turns it off): %w",
			err, gpu.DeviceEnv, compute.ErrUnavailable)
	}
	return found, nil
}

// listDevices prints what there is to measure, and prints and returns why OpenCL
// devices are missing, or nil.
func listDevices(w io.Writer, found answer) error {
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
	if found.Problem == "" {
		return nil
	}
	err := errors.New(found.Problem)
	fmt.Fprintln(w, report.Wrap("  not listed: "+oneLine(err), "    "))
	return err
}

// A target is a backend to measure.
type target struct {
	compute.Backend
	limits bool // measure only the limits, not the operations
	member bool // of a Shard that is measured later, whose Close closes it
}

// A chooser opens the backends to measure; avoid, if not nil, is why it is to leave
// OpenCL alone. reason tells why a device that was not named is not among them; err,
// why one that was named cannot be used.
type chooser func(c config, avoid error) (targets []target, reason, err error)

// chooseTargets is the chooser of the program.
func chooseTargets(c config, avoid error) (targets []target, reason, err error) {
	if avoid != nil && (c.backend == "opencl" || c.device != "") {
		return nil, nil, avoid
	}
	b, err := cpu.Open()
	if err != nil {
		return nil, nil, err
	}
	// How fast the host copies is a limit of what goes to a device and back too.
	targets = []target{{Backend: b, limits: c.backend == "opencl"}}
	defer func() {
		if err != nil {
			b.Close()
		}
	}()
	switch {
	case c.backend == "cpu":
	case avoid != nil:
		reason = avoid
	case c.device == "all":
		all, problem, err := openAll()
		if err != nil {
			return nil, nil, err
		}
		targets = append(targets, all...)
		reason = problem
	case c.device != "":
		b, err := gpu.OpenDevice(c.device)()
		if err != nil {
			return nil, nil, err
		}
		targets = append(targets, target{Backend: b})
		reason = b.Info().Skipped
	default:
		var found []compute.Backend
		found, reason = openGPUs()
		named := os.Getenv(gpu.DeviceEnv) // which asks for it as -device does
		if len(found) == 0 && (c.backend == "opencl" || named != "" && named != "none") {
			return nil, nil, reason
		}
		for _, b := range found {
			targets = append(targets, target{Backend: b})
		}
	}
	return targets, reason, nil
}

// openGPUs opens every device that gpu.Open would take, and returns why it does not take
// others, or none.
func openGPUs() (opened []compute.Backend, reason error) {
	if os.Getenv(gpu.DeviceEnv) != "" {
		b, err := gpu.Open()
		if err != nil {
			return nil, err
		}
		return []compute.Backend{b}, b.Info().Skipped
	}
	return gpu.OpenAll()
}

// openAll opens every device, of any kind, and a Shard of them if there are more than
// one. reason tells why it does not take others, or none; err, why there is nothing.
func openAll() (targets []target, reason, err error) {
	opened, reason := gpu.Options{Device: "any"}.OpenAll()
	switch len(opened) {
	case 0:
		return nil, nil, reason
	case 1:
		return []target{{Backend: opened[0]}}, reason, nil
	}
	for _, b := range opened {
		targets = append(targets, target{Backend: b, member: true})
	}
	all, err := shard.New(opened...)
	if err != nil {
		for _, b := range opened {
			b.Close()
		}
		return nil, nil, err
	}
	return append(targets, target{Backend: all}), reason, nil
}
