package main

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
	"github.com/gmind-go/compute/gpu"
)

const devicesUsage = `Usage: bench devices [-timeout T]

The place to look when the GPU is not used: tells what this program has built in
and what of OpenCL is installed, lists the OpenCL devices, and opens each, which
makes it compute special values that are verified bit by bit. Drivers are run in
processes of their own: one that crashes or hangs is named, with what it said
and how to go on without it.

  -timeout T   time for one such process; some drivers compile for seconds (20s)

Exit code: 0 all devices that are listed can be used, or there is none; 2 wrong
usage; 3 a driver crashes or hangs, or a device cannot be used.
`

// devices is the program as "bench devices"; it returns the exit code.
func devices(args []string, stdout, stderr io.Writer) int {
	out := &checked{Writer: stdout}
	code := tryDevices(args, out, stderr)
	if out.err != nil {
		fmt.Fprintf(stderr, "bench: %s\n", oneLine(out.err))
		if code == exitOK {
			code = exitUsage
		}
	}
	return code
}

func tryDevices(args []string, stdout, stderr io.Writer) int {
	fail := func(code int, err error) int {
		fmt.Fprintf(stderr, "bench: %s\n", oneLine(err))
		return code
	}
	limit, err := parseDevices(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, devicesUsage)
		return exitOK
	}
	if err != nil {
		return fail(exitUsage, fmt.Errorf("%w (see bench devices -h)", err))
	}
	found, err := ask(limit, nil)
	printProgram(stdout, found.Loader)
	var f *fault
	if errors.As(err, &f) {
		f.print(stdout, "", "OpenCL devices cannot be listed: a driver")
		return fail(exitUnusable, findCulprits(stdout, limit))
	}
	if err != nil {
		return fail(exitUnusable, err)
	}
	if len(found.Devices) == 0 {
		fmt.Fprintf(stdout, "no OpenCL device: %s\n", oneLine(errors.New(found.Problem)))
		return exitOK
	}
	unusable := 0
	for i, info := range found.Devices {
		printDevice(stdout, i, info)
		opened, err := ask(limit, nil, strconv.Itoa(i))
		if !printVerdict(stdout, opened, err) {
			unusable++
		}
		fmt.Fprintln(stdout)
	}
	if found.Problem != "" {
		fmt.Fprintf(stdout, "not listed: %s\n", oneLine(errors.New(found.Problem)))
	}
	if choice := os.Getenv(gpu.DeviceEnv); choice != "" {
		fmt.Fprintf(stdout, "%s is %q, which programs that call gpu.Open follow\n", gpu.DeviceEnv, choice)
	}
	if unusable > 0 {
		return fail(exitUnusable, fmt.Errorf("%d of %d OpenCL devices cannot be used", unusable, len(found.Devices)))
	}
	return exitOK
}

func parseDevices(args []string) (limit time.Duration, err error) {
	limit = defaultTimeout
	fs := flag.NewFlagSet("bench devices", flag.ContinueOnError)
	fs.SetOutput(io.Discard) // the caller prints the error
	fs.Func("timeout", "", func(s string) (err error) { limit, err = parseTime(s); return err })
	if err := fs.Parse(args); err != nil {
		return 0, err
	}
	if fs.NArg() > 0 {
		return 0, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	return limit, nil
}

// printProgram prints what the program has and what it finds, with the loader that its
// child has loaded, or "".
func printProgram(w io.Writer, loader string) {
	e := environment()
	built := "with OpenCL"
	if !e.OpenCL {
		built = "without OpenCL (to rebuild it with: -tags opencl, CGO_ENABLED=1, a C compiler and the OpenCL headers; see the README)"
	}
	fmt.Fprintln(w, "program")
	printRow(w, "built", strings.TrimSpace(fmt.Sprintf("%s, by %s for %s/%s %s", built, e.Go, e.OS, e.Arch, e.Commit)))
	printRow(w, "cpu", fmt.Sprintf("%s, %d cores, caches %s", cmp.Or(e.CPU, "of unknown name"), e.Cores, e.Caches))
	if loader == "" {
		loader = cmp.Or(strings.Join(loaderFiles(), ", "), "none found")
	}
	printRow(w, "loader", loader)
	_, where := drivers()
	for i, d := range e.Drivers {
		printRow(w, []string{"drivers", ""}[min(i, 1)], d)
	}
	if len(e.Drivers) == 0 && where != "" {
		printRow(w, "drivers", "none in "+where)
	}
	for i, setting := range e.Settings {
		printRow(w, []string{"settings", ""}[min(i, 1)], setting)
	}
	fmt.Fprintln(w)
}

// printDevice prints what the device says of itself.
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

// printVerdict prints what came of opening the device, and returns whether it can
// be used.
func printVerdict(w io.Writer, opened answer, err error) bool {
	var f *fault
	switch {
	case errors.As(err, &f):
		f.print(w, "  ", "self-test  NOT USABLE: its driver")
		printRow(w, "remedy", fmt.Sprintf("repair or remove its driver; until then %s can name another device, or none", gpu.DeviceEnv))
	case err != nil:
		printRow(w, "self-test", "not made: "+oneLine(err))
	case opened.Problem != "":
		printRow(w, "self-test", "NOT USABLE: "+oneLine(errors.New(opened.Problem)))
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
