// Package doctor finds out why an OpenCL device cannot be used. A driver runs inside the
// program that uses it, so one that crashes or hangs takes the program with it. The package
// therefore tries drivers in child processes: the same program, with the argument "probe".
package doctor

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/gpu"
)

const usage = `Usage: bench devices [-timeout T]

The place to look when the GPU is not used. Prints how this program was built
and what of OpenCL is installed, lists the OpenCL devices, and opens each, which
makes it compute special values that are verified bit by bit. Drivers run in
child processes: one that crashes or hangs is named, with its last output and
how to go on without it.

  -timeout T   time for each process; some drivers compile for seconds (20s)

Exit code: 0 all devices listed can be used, or there is none; 2 wrong usage;
3 a driver crashes or hangs, or a device cannot be used.
`

// DefaultTimeout is the time for a child process. It is long, since there are drivers that
// compile for seconds.
const DefaultTimeout = 20 * time.Second

// Devices is the command "bench devices". It returns the exit code.
func Devices(args []string, stdout, stderr io.Writer) int {
	limit := DefaultTimeout
	return command.Command{
		Name: "bench devices", Usage: usage,
		Flags: func(fs *flag.FlagSet) {
			fs.Func("timeout", "", func(s string) (err error) { limit, err = command.ParseTime(s); return err })
		},
		Check: func(args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unexpected argument %q", args[0])
			}
			return nil
		},
		Run: func(out *command.Writer, fail func(int, error)) {
			if err := tryDevices(out, limit); err != nil {
				fail(command.Unusable, err)
			}
		},
	}.Main(args, stdout, stderr)
}

func tryDevices(w io.Writer, limit time.Duration) error {
	found, err := List(limit)
	printProgram(w, found.Loader)
	var f *fault
	if errors.As(err, &f) {
		f.print(w, "", "OpenCL devices cannot be listed: a driver")
		return findCulprits(w, limit)
	}
	if err != nil {
		return err
	}
	if len(found.Devices) == 0 {
		fmt.Fprintf(w, "no OpenCL device: %s\n", found.Problem)
		return nil
	}
	unusable := 0
	for i, info := range found.Devices {
		printDevice(w, i, info)
		opened, err := ask(limit, nil, strconv.Itoa(i))
		if !printVerdict(w, opened, err) {
			unusable++
		}
		fmt.Fprintln(w)
	}
	if found.Problem != "" {
		fmt.Fprintf(w, "not listed: %s\n", found.Problem)
	}
	if choice := os.Getenv(gpu.DeviceEnv); choice != "" {
		fmt.Fprintf(w, "%s is %q, which programs that call gpu.Open follow\n", gpu.DeviceEnv, choice)
	}
	if unusable > 0 {
		return fmt.Errorf("%d of %d OpenCL devices cannot be used", unusable, len(found.Devices))
	}
	return nil
}

// printProgram prints how the program was built and what it finds. loader is the loader
// that the child process loaded, or "".
func printProgram(w io.Writer, loader string) {
	e := Environment()
	built := "with OpenCL"
	if !e.OpenCL {
		built = "without OpenCL (to rebuild it with: -tags opencl, CGO_ENABLED=1, a C compiler and the OpenCL headers; see the README)"
	}
	fmt.Fprintln(w, "program")
	printRow(w, "built", strings.TrimSpace(fmt.Sprintf("%s, by %s for %s/%s %s", built, e.Go, e.OS, e.Arch, e.Commit)))
	printRow(w, "cpu", fmt.Sprintf("%s, %d cores, caches %s", cmp.Or(e.CPU, "of unknown name"), e.Cores, e.Caches))
	printRow(w, "loader", cmp.Or(loader, strings.Join(loaderFiles(), ", "), "none found"))
	if _, where := drivers(); len(e.Drivers) == 0 && where != "" {
		e.Drivers = []string{"none in " + where}
	}
	for i, d := range e.Drivers {
		printRow(w, []string{"drivers", ""}[min(i, 1)], d)
	}
	for i, setting := range e.Settings {
		printRow(w, []string{"settings", ""}[min(i, 1)], setting)
	}
	fmt.Fprintln(w)
}

// printDevice prints the properties of a device.
func printDevice(w io.Writer, index int, info compute.Info) {
	fmt.Fprintf(w, "device %d: %s\n", index, strings.TrimPrefix(info.Name, "opencl "))
	kind, memory := info.Kind, "its own"
	if kind == "cpu" {
		kind += ", left to the CPU backend unless it is named"
	}
	if info.SharedMemory {
		memory = "shared with the host"
	}
	printRow(w, "kind", kind)
	printRow(w, "vendor", info.Vendor)
	printRow(w, "platform", info.Platform)
	printRow(w, "driver", info.Driver)
	printRow(w, "memory", fmt.Sprintf("%.1f GB, %s; largest allocation %.1f GB", float64(info.Memory)/1e9, memory, float64(info.MaxAlloc)/1e9))
}

// printVerdict prints the result of opening a device, and reports whether it can be used.
func printVerdict(w io.Writer, opened Reply, err error) bool {
	var f *fault
	switch {
	case errors.As(err, &f):
		f.print(w, "  ", "self-test  NOT USABLE: its driver")
		printRow(w, "remedy", fmt.Sprintf("repair or remove its driver; until then %s can name another device, or none", gpu.DeviceEnv))
	case err != nil:
		printRow(w, "self-test", "not made: "+command.OneLine(err))
	case opened.Problem != "":
		printRow(w, "self-test", "NOT USABLE: "+opened.Problem)
		printRow(w, "remedy", fmt.Sprintf("update its driver; compute.Open goes on without it by itself, and %s can name another", gpu.DeviceEnv))
	case opened.Devices[0].FlushesSubnormals:
		printRow(w, "self-test", "usable, but it replaces subnormal numbers by zero")
		return true
	default:
		printRow(w, "self-test", "usable")
		return true
	}
	return false
}

func printRow(w io.Writer, what, text string) { fmt.Fprintf(w, "  %-10s %s\n", what, text) }
