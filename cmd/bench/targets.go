package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
)

// listDevices prints what there is to measure, and prints and returns why OpenCL
// devices are missing, or nil.
func listDevices(w io.Writer, c config) error {
	fmt.Fprintln(w, "devices")
	fmt.Fprintln(w, "  cpu")
	if c.backend == "cpu" {
		return nil // leave the drivers alone
	}
	infos, err := gpu.Devices()
	for i, info := range infos {
		shared := ""
		if info.SharedMemory {
			shared = ", shared with the host"
		}
		fmt.Fprintf(w, "  %s, -device %d: %s, %s, %s, driver %s, %.1f GB%s\n",
			info.Name, i, info.Kind, info.Vendor, info.Platform, info.Driver, float64(info.Memory)/1e9, shared)
	}
	if err != nil {
		fmt.Fprintf(w, "  not listed: %s\n", oneLine(err))
	}
	return err
}

// A chooser opens the backends to measure. reason tells why a device that was not
// named is not among them; err, why one that was named cannot be used.
type chooser func(c config) (targets []compute.Backend, reason, err error)

// chooseTargets is the chooser of the program.
func chooseTargets(c config) (targets []compute.Backend, reason, err error) {
	if c.backend != "opencl" {
		b, err := cpu.Open()
		if err != nil {
			return nil, nil, err
		}
		targets = append(targets, b)
	}
	switch {
	case c.backend == "cpu":
	case c.device != "":
		b, err := gpu.OpenDevice(c.device)()
		if err != nil {
			return nil, nil, err
		}
		targets = append(targets, b)
		reason = b.Info().Skipped
	default:
		var found []compute.Backend
		found, reason = openGPUs()
		if len(found) == 0 && c.backend == "opencl" {
			return nil, nil, reason
		}
		targets = append(targets, found...)
	}
	return targets, reason, nil
}

// openGPUs opens every device that gpu.Open would take, and returns why it does
// not take others, or none.
func openGPUs() (opened []compute.Backend, reason error) {
	if os.Getenv(gpu.DeviceEnv) != "" {
		b, err := gpu.Open()
		if err != nil {
			return nil, err
		}
		return []compute.Backend{b}, b.Info().Skipped
	}
	infos, _ := gpu.Devices() // listDevices prints the error
	var reasons []error
	for i, info := range infos {
		if info.Kind != "gpu" && info.Kind != "accelerator" {
			continue
		}
		b, err := gpu.OpenDevice(strconv.Itoa(i))()
		if err != nil {
			reasons = append(reasons, err)
			continue
		}
		opened = append(opened, b)
	}
	if len(opened) == 0 && len(reasons) == 0 {
		_, err := gpu.Open() // knows the reason
		reasons = append(reasons, err)
	}
	return opened, errors.Join(reasons...)
}
