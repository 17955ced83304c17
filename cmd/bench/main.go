// Bench measures what the devices of this machine do with the kernels of package
// compute, and verifies every result bit by bit against the reference. As "bench
// devices" it tries the OpenCL drivers. Its flag -h tells how to use it.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

// The exit codes.
const (
	exitOK       = iota
	exitWrong    // a result is wrong
	exitUsage    // the command line or a file is wrong
	exitUnusable // a backend or device cannot be used

	exitInterrupted = 130 // as shells have it for an interrupt
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
	os.Exit(measureCommand(args, os.Stdout, os.Stderr))
}

// measureCommand is the program as "bench" alone, which signals end with the results it
// has; it returns the exit code.
func measureCommand(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second ends the program at once
	ctx, cancel := untilHangup(ctx)
	defer cancel()
	return run(ctx, args, stdout, stderr, chooseTargets)
}

// A checked writer keeps the first error of the Writer, and writes nothing after it.
type checked struct {
	io.Writer
	err error
}

func (c *checked) Write(p []byte) (n int, err error) {
	if c.err != nil {
		return 0, c.err
	}
	n, c.err = c.Writer.Write(p)
	return n, c.err
}

// oneLine returns the text of err, whose parts may be joined by line ends, as one
// line.
func oneLine(err error) string {
	return strings.Join(strings.Split(strings.TrimSpace(err.Error()), "\n"), "; ")
}
