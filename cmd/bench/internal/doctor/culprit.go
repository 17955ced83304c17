package doctor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/gpu"
)

// findCulprits tries each driver alone, after all of them together crashed or hung. It
// prints the result of each and the remedy, and returns an error that names those at fault.
func findCulprits(w io.Writer, limit time.Duration) error {
	list, where := drivers()
	if where == "" {
		fmt.Fprintf(w, "\nremedy: repair or remove the OpenCL driver that is at fault, or turn OpenCL off by %s=none\n", gpu.DeviceEnv)
		return errors.New("an OpenCL driver crashes or hangs")
	}
	fmt.Fprintf(w, "\ndrivers that the OpenCL loader finds by %s, each tried alone:\n", where)
	var bad []string
	for _, d := range list {
		found, err := askAlone(limit, d)
		var f *fault
		switch {
		case errors.As(err, &f):
			f.print(w, "  ", d.String()+": AT FAULT: it")
			bad = append(bad, d.String())
		case err != nil:
			fmt.Fprintf(w, "  %v: not tried: %s\n", d, command.OneLine(err))
		case len(found.Devices) == 0:
			fmt.Fprintf(w, "  %v: no device: %s\n", d, found.Problem)
		default:
			var devices []string
			for _, info := range found.Devices {
				devices = append(devices, strings.TrimPrefix(info.Name, "opencl "))
			}
			fmt.Fprintf(w, "  %v: lists %s\n", d, strings.Join(devices, ", "))
		}
	}
	if len(list) == 0 {
		fmt.Fprintln(w, "  none")
	}
	if len(bad) == 0 {
		fmt.Fprintf(w, "\nremedy: none is at fault alone; leave out one after the other, by setting %s to a directory with the .icd files that stay; or turn OpenCL off by %s=none\n", vendorsEnv, gpu.DeviceEnv)
		return errors.New("the OpenCL drivers crash or hang, but none alone")
	}
	all := strings.Join(bad, " and ")
	fmt.Fprintf(w, "\nremedy: repair or remove %s; or set %s to a directory with the other .icd files alone; or turn OpenCL off by %s=none\n", all, vendorsEnv, gpu.DeviceEnv)
	return fmt.Errorf("the OpenCL driver %s crashes or hangs", all)
}

// askAlone lists the devices of one driver.
func askAlone(limit time.Duration, d driver) (Reply, error) {
	// Every loader can be given a directory.
	dir, err := os.MkdirTemp("", "opencl-vendors-")
	if err != nil {
		return Reply{}, err
	}
	defer os.RemoveAll(dir)
	if err := os.WriteFile(filepath.Join(dir, "alone.icd"), []byte(d.content), 0o666); err != nil {
		return Reply{}, err
	}
	return List(limit, vendorsEnv+"="+dir, vendorPathEnv+"=", filenamesEnv+"=")
}
