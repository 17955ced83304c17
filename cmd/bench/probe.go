package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu"
)

// OpenCL drivers run inside the program that uses them: one that crashes or hangs
// takes the program along. So they are tried in children first: this program again,
// as "bench probe LIMIT", which lists the OpenCL devices, or "bench probe LIMIT
// INDEX", which opens one. probe is the child, ask its parent.

// An answer is what a child found out.
type answer struct {
	Devices []compute.Info // all, or the one that was opened
	Problem string         // the text of the error, or ""
	Loader  string         // the file of the OpenCL loader, or ""
}

// answerTo is where a child puts its answer. Drivers print what they like on
// standard output and standard error. Standard input, which every system hands
// down too, they leave alone, so ask connects the child's to a pipe that leads back.
var answerTo = os.Stdin

// probe is the program as a child; it returns the exit code.
func probe(args []string) int {
	limit, err := time.ParseDuration(args[0])
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: probe: %v\n", err)
		return exitUsage
	}
	// The parent ends a child that hangs. Should the parent be gone, it ends itself.
	time.AfterFunc(limit+grace, func() { os.Exit(exitUnusable) })
	var a answer
	if len(args) == 1 {
		a.Devices, err = gpu.Devices()
	} else {
		a.Devices, err = open(args[1])
	}
	if err != nil {
		a.Problem = err.Error()
	}
	a.Loader = loadedLoader()
	for i := range a.Devices {
		a.Devices[i].Skipped = nil // an error is no JSON
	}
	if err := json.NewEncoder(answerTo).Encode(a); err != nil {
		fmt.Fprintf(os.Stderr, "bench: probe: %v\n", err)
		return exitUnusable
	}
	return exitOK
}

// open opens and closes the device of that index.
func open(index string) ([]compute.Info, error) {
	if _, err := strconv.Atoi(index); err != nil {
		return nil, err
	}
	b, err := gpu.OpenDevice(index)()
	if err != nil {
		return nil, err
	}
	return []compute.Info{b.Info()}, b.Close()
}
