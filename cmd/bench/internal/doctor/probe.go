package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/gpu"
)

// A Reply is what a child process found.
type Reply struct {
	Devices []compute.Info // all devices, or the one that was opened
	Problem string         // the error on one line, or ""
	Loader  string         // the file of the OpenCL loader, or ""
}

// grace is how much longer than its limit something may take that should take no time.
const grace = 2 * time.Second

// Probe is the child process, "bench probe LIMIT [INDEX]". It lists the OpenCL devices, or
// opens the one with the index, and returns the exit code.
//
// Drivers print what they like on standard output and standard error. They leave standard
// input alone, which every system passes on, so it is the pipe for the answer.
func Probe(args []string) int {
	fail := func(code int, err error) int {
		fmt.Fprintf(os.Stderr, "bench: probe: %v\n", err)
		return code
	}
	limit, err := time.ParseDuration(args[0])
	if err != nil {
		return fail(command.Usage, err)
	}
	// The parent ends a child that hangs. If the parent is gone, it ends itself.
	time.AfterFunc(limit+grace, func() { os.Exit(command.Unusable) })
	var a Reply
	if len(args) == 1 {
		a.Devices, err = gpu.Devices()
	} else {
		a.Devices, err = open(args[1])
	}
	if err != nil {
		a.Problem = command.OneLine(err)
	}
	a.Loader = loadedLoader()
	for i := range a.Devices {
		a.Devices[i].Skipped = nil // JSON cannot hold an error
	}
	if err := json.NewEncoder(os.Stdin).Encode(a); err != nil {
		return fail(command.Unusable, err)
	}
	return command.OK
}

// open opens and closes a device.
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

// List lists the OpenCL devices in a child process, which has env in its environment. The
// error is not nil if there is no answer, as after a crash of a driver, or after limit.
func List(limit time.Duration, env ...string) (Reply, error) { return ask(limit, env) }

// ask returns the answer of a child process. The error is a *fault if the child crashes, or
// takes longer than limit and is killed.
func ask(limit time.Duration, env []string, args ...string) (a Reply, err error) {
	defer func() {
		if _, ok := err.(*fault); err != nil && !ok {
			err = fmt.Errorf("bench cannot start itself to try the OpenCL drivers: %w", err)
		}
	}()
	self, err := os.Executable()
	if err != nil {
		return a, err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return a, err
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	var said tail
	cmd := exec.CommandContext(ctx, self, append([]string{"probe", limit.String()}, args...)...)
	// The stacks of goroutines say nothing about a driver, and are long.
	cmd.Env = append(append(os.Environ(), "GOTRACEBACK=none"), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = w, &said, &said
	cmd.WaitDelay = grace // a driver may leave a process that holds the output open
	err = cmd.Start()
	w.Close()
	if err != nil {
		return a, err
	}

	answered, ended := make(chan error, 1), make(chan error, 1)
	var got Reply
	go func() { answered <- json.NewDecoder(r).Decode(&got) }()
	go func() { ended <- cmd.Wait() }()
	late := fmt.Sprintf("did not answer within %v (see -timeout)", limit)
	select {
	case err = <-ended:
		if cmd.ProcessState == nil {
			return a, err
		}
	case <-time.After(limit + 2*grace): // it is stuck inside the system
		return a, newFault(late+", and cannot be killed", said.lines())
	}
	timedOut := ctx.Err() != nil
	select {
	case err = <-answered:
	case <-time.After(grace): // a process that a driver left holds the pipe open
		err = os.ErrDeadlineExceeded
	}
	switch {
	case err == nil && cmd.ProcessState.Success():
		return got, nil
	case timedOut:
		return a, newFault(late, said.lines())
	}
	return a, crash(cmd.ProcessState, said.lines())
}
