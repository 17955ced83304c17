package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

// TestInterrupt: ctrl-C ends the measurement. What was measured is printed and written.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("on Windows, a process cannot interrupt another")
	}
	testInterrupt(t, os.Interrupt)
}

// testInterrupt sends the signal ever later, until there is a result.
func testInterrupt(t *testing.T, s os.Signal) {
	t.Helper()
	for wait := 2 * time.Second; ; wait *= 2 { // time for the warm-up and some runs
		r, rest := interrupted(t, s, wait)
		if !r.Interrupted {
			t.Fatalf("the report is not marked as interrupted: %+v", r)
		}
		if len(r.Results) == 2 && r.Results[1].Runs() > 0 && strings.Contains(rest, "    forward ") {
			return
		}
		if wait > time.Minute {
			t.Fatalf("after %v the report has %+v: %s", wait, r.Results, rest)
		}
	}
}

// interrupted starts a measurement of an hour, sends the signal after wait, and returns the
// report and the end of the table.
func interrupted(t *testing.T, s os.Signal, wait time.Duration) (r report.Report, rest string) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "r.json")
	cmd, out := measuring(t, name)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	begun(t, cmd, out)
	time.Sleep(wait)
	if err := cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	end, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	data, err := os.ReadFile(name)
	if os.IsNotExist(err) { // nothing was measured
		if code := cmd.ProcessState.ExitCode(); code != command.Interrupted || !strings.Contains(stderr.String(), "interrupted: nothing was measured\n") {
			t.Fatalf("exit %d: %s", code, stderr.String())
		}
		return report.Report{Interrupted: true}, string(end)
	}
	if code := cmd.ProcessState.ExitCode(); code != command.Interrupted || err != nil || !strings.Contains(stderr.String(), "interrupted: this is what was measured") {
		t.Fatalf("exit %d, %v: %s", code, err, stderr.String())
	}
	return decode(t, string(data)), string(end)
}

// measuring returns the program with a measurement of an hour and a file for -json, and its
// output.
func measuring(t *testing.T, name string) (*exec.Cmd, io.Reader) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-backend", "cpu", "-n", "1Ki", "-cache", "warm", "-op", "forward", "-time", "1h", "-runs", "1000000", "-precision", "0.0001%", "-json", name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	return cmd, out
}

// begun starts the program, and returns when it starts to measure.
func begun(t *testing.T, cmd *exec.Cmd, out io.Reader) {
	t.Helper()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	var seen []byte
	for buf := make([]byte, 1024); !bytes.Contains(seen, []byte("elements  ")); {
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("%v after %s", err, seen)
		}
		seen = append(seen, buf[:n]...)
	}
}

// TestKilled: a program that is killed leaves no new file, and does not change an existing
// one.
func TestKilled(t *testing.T) {
	for _, old := range []string{"", "precious"} {
		dir := t.TempDir()
		name := filepath.Join(dir, "r.json")
		if old != "" {
			if err := os.WriteFile(name, []byte(old), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		cmd, out := measuring(t, name)
		begun(t, cmd, out)
		cmd.Process.Kill()
		_ = cmd.Wait()
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		data, err := os.ReadFile(name)
		if string(data) != old || old == "" && len(entries) != 0 || old != "" && (err != nil || len(entries) != 1) {
			t.Errorf("with %q in the file before, it holds %q, %v, in a folder of %d", old, data, err, len(entries))
		}
	}
}

// TestInterruptedBefore: after an interrupt before anything is measured, there is no file.
func TestInterruptedBefore(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	name := filepath.Join(t.TempDir(), "r.json")
	var stdout, stderr bytes.Buffer
	code := run(ctx, []string{"-backend", "cpu", "-n", "1Ki", "-json", name}, &stdout, &stderr, openTargets)
	if code != command.Interrupted || stderr.String() != "bench: interrupted: nothing was measured\n" {
		t.Errorf("exit %d, %q", code, stderr.String())
	}
	if _, err := os.Stat(name); !os.IsNotExist(err) {
		t.Errorf("a file is left: %v", err)
	}
}
