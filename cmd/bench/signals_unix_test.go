//go:build unix

package main

import (
	"bytes"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestHangup: what was measured is written when the terminal hangs up, as when an ssh
// connection drops, and after SIGTERM.
func TestHangup(t *testing.T) {
	// Programs that are started get the default of a signal that is caught here, also if it
	// was ignored, as in tests that run under nohup.
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP)
	defer signal.Stop(caught)
	for _, s := range []os.Signal{syscall.SIGHUP, syscall.SIGTERM} {
		t.Run(s.String(), func(t *testing.T) { testInterrupt(t, s) })
	}
}

// TestNohup: hangups that are ignored from the start stay ignored.
func TestNohup(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		testenv.Lacking(t, "sh: %v", err)
	}
	name := filepath.Join(t.TempDir(), "r.json")
	cmd := exec.Command(sh, "-c", `trap "" HUP; exec "$0" "$@"`, os.Args[0], "-backend", "cpu", "-n", "1Ki", "-cache", "warm", "-json", name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	begun(t, cmd, out)
	if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	var rest bytes.Buffer
	rest.ReadFrom(out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v after %s", err, &rest)
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if r := decode(t, string(data)); r.Interrupted || len(r.Results) != 4 {
		t.Errorf("interrupted is %v, with %d results", r.Interrupted, len(r.Results))
	}
}

// TestBrokenPipe: a standard output that nothing reads is an error, and does not end the
// program before it has written its files.
func TestBrokenPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	defer w.Close()
	cmd := exec.Command(os.Args[0], "-backend", "cpu", "-n", "1Ki", "-runs", "1")
	var stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = w, &stderr
	_ = cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code != command.Usage || !strings.Contains(stderr.String(), "broken pipe\n") {
		t.Errorf("%v, %q", cmd.ProcessState, stderr.String())
	}
}
