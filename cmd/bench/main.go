// Bench measures what the devices of this machine do with the kernels of package
// compute, and verifies every result bit by bit against the reference. As "bench
// devices" it tries the OpenCL drivers. Its flag -h tells how to use it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

// The exit codes.
const (
	exitOK       = iota
	exitWrong    // a result is wrong
	exitUsage    // the command line or a file is wrong
	exitUnusable // a backend or device cannot be used
)

func main() {
	args := os.Args[1:]
	switch {
	case len(args) > 0 && args[0] == "devices":
		os.Exit(devices(args[1:], os.Stdout, os.Stderr))
	case len(args) > 0 && args[0] == "compare":
		os.Exit(compareCommand(args[1:], os.Stdout, os.Stderr))
	case len(args) > 1 && args[0] == "probe":
		os.Exit(probe(args[1:]))
	}
	os.Exit(run(args, os.Stdout, os.Stderr, chooseTargets))
}

// run is the program that measures, on the backends that choose opens; it returns
// the exit code.
func run(args []string, stdout, stderr io.Writer, choose chooser) int {
	fail := func(code int, err error) int {
		fmt.Fprintf(stderr, "bench: %s\n", oneLine(err))
		return code
	}
	c, err := parse(args)
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(stdout, usage)
		return exitOK
	}
	if err != nil {
		return fail(exitUsage, fmt.Errorf("%w (see bench -h)", err))
	}
	in, err := load(c)
	if err != nil {
		return fail(exitUsage, err)
	}
	jsonFile, err := openOutput(c.json, stdout)
	if err != nil {
		return fail(exitUsage, err)
	}
	npyFile, err := openOutput(c.output, nil)
	if err == nil && (jsonFile.is(c.input) || jsonFile.is(c.output)) {
		err = errors.New("-json names the file of -input or -output")
	}
	abandon := func() {
		jsonFile.abandon()
		npyFile.abandon()
	}
	if err != nil {
		abandon()
		return fail(exitUsage, err)
	}

	table := stdout
	if c.json == "-" {
		table = stderr // standard output is for the JSON alone
	}
	found, avoid := findDevices(c)
	missing := listDevices(table, found)
	targets, reason, err := choose(c, avoid)
	if err != nil {
		abandon()
		return fail(exitUnusable, err)
	}
	if c.output != "" && len(targets) > 1 {
		abandon()
		return fail(exitUsage, fmt.Errorf("-output holds one result, but there are %d devices; name one with -device", len(targets)))
	}
	if reason != nil && (missing == nil || oneLine(reason) != oneLine(missing)) {
		fmt.Fprintf(table, "not measured: %s\n", oneLine(reason))
	}

	if err := in.generate(c); err != nil {
		abandon()
		return fail(exitUsage, err)
	}
	code := exitOK
	r := newReport(table, c, in)
	for _, t := range targets {
		if err := errors.Join(measure(t, c, in, r), t.Close()); err != nil {
			code = fail(exitUnusable, err)
		}
	}
	if err := r.writeJSON(jsonFile); err != nil {
		code = fail(exitUsage, err)
	}
	if r.output == nil { // it could not be computed
		npyFile.abandon()
	} else if err := npyFile.replace(r.output); err != nil {
		code = fail(exitUsage, err)
	}
	for _, m := range r.mismatches {
		code = fail(exitWrong, fmt.Errorf("wrong result: %s", m))
	}
	return code
}

// oneLine returns the text of err, whose parts may be joined by line ends, as one
// line.
func oneLine(err error) string {
	return strings.Join(strings.Split(strings.TrimSpace(err.Error()), "\n"), "; ")
}
