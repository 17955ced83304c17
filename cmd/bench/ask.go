package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// grace is what is given on top of a limit for what should take no time.
const grace = 2 * time.Second

// ask starts a child, "bench probe" with args, with env added to the environment,
// and returns its answer. The error is a *fault if there is none: the child crashed,
// or took longer than limit and was killed.
func ask(limit time.Duration, env []string, args ...string) (answer, error) {
	a, err := startAndWait(limit, env, args)
	if _, ok := err.(*fault); err != nil && !ok {
		err = fmt.Errorf("bench cannot start itself to try the OpenCL drivers: %w", err)
	}
	return a, err
}

func startAndWait(limit time.Duration, env, args []string) (a answer, err error) {
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
	// The stacks of goroutines tell nothing about a driver, and are long.
	cmd.Env = append(append(os.Environ(), "GOTRACEBACK=none"), env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = w, &said, &said // Stdin: see answerTo
	cmd.WaitDelay = grace                               // for what a driver may have started and left
	err = cmd.Start()
	w.Close()
	if err != nil {
		return a, err
	}

	answered, ended := make(chan error, 1), make(chan error, 1)
	var got answer
	go func() { answered <- json.NewDecoder(r).Decode(&got) }()
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
		if cmd.ProcessState == nil {
			return a, err
		}
	case <-time.After(limit + 2*grace): // it is stuck inside the system
		return a, newFault(fmt.Sprintf("did not answer within %v (see -timeout), and cannot be killed", limit), said.lines())
	}
	late := ctx.Err() != nil
	select {
	case err = <-answered:
	case <-time.After(grace): // something that a driver has left holds the pipe
		err = os.ErrDeadlineExceeded
	}
	switch {
	case err == nil && cmd.ProcessState.Success():
		return got, nil
	case late:
		return a, newFault(fmt.Sprintf("did not answer within %v (see -timeout)", limit), said.lines())
	}
	return a, crash(cmd.ProcessState, said.lines())
}
