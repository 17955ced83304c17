// Bench measures how fast the devices of this machine run the kernels of package compute,
// and compares every result with the reference, bit by bit. "bench devices" tries the
// OpenCL drivers; "bench compare" compares two reports. The flag -h prints the usage.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/gmind-go/compute/cmd/bench/internal/doctor"
)

func main() {
	args := os.Args[1:]
	switch {
	case len(args) > 0 && args[0] == "devices":
		os.Exit(doctor.Devices(args[1:], os.Stdout, os.Stderr))
	case len(args) > 0 && args[0] == "compare":
		os.Exit(compare(args[1:], os.Stdout, os.Stderr))
	case len(args) > 1 && args[0] == "probe":
		os.Exit(doctor.Probe(args[1:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the second signal ends the program at once
	ctx, cancel := untilHangup(ctx)
	defer cancel()
	os.Exit(run(ctx, args, os.Stdout, os.Stderr, openTargets))
}
