package main

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

// TestInterrupt: ctrl-C ends the measuring, and what was measured is kept and told.
func TestInterrupt(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no interrupt that one process can send to another")
	}
	for wait := 2 * time.Second; ; wait *= 2 { // for warming up, and some runs
		r, rest := interrupted(t, wait)
		if !r.Interrupted {
			t.Fatalf("that it was interrupted is not told: %+v", r)
		}
		if len(r.Results) == 2 && r.Results[1].Runs() > 0 && strings.Contains(rest, "    forward ") {
			return
		}
		if wait > 10*time.Second {
			t.Fatalf("of what was measured in %v there is %+v: %s", wait, r.Results, rest)
		}
	}
}

// interrupted starts measuring what takes an hour, sends an interrupt after so long, and
// returns the JSON and the end of the table.
func interrupted(t *testing.T, wait time.Duration) (r report.Report, rest string) {
	name := filepath.Join(t.TempDir(), "r.json")
	cmd := exec.Command(os.Args[0], "-backend", "cpu", "-n", "1Ki", "-cache", "warm", "-op", "forward", "-time", "1h", "-runs", "1000000", "-precision", "0.0001%", "-json", name)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	var seen []byte
	for buf := make([]byte, 1024); !bytes.Contains(seen, []byte("elements  ")); { // it begins
		n, err := out.Read(buf)
		if err != nil {
			t.Fatalf("%v after %s", err, seen)
		}
		seen = append(seen, buf[:n]...)
	}
	time.Sleep(wait)
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	end, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	data, err := os.ReadFile(name)
	if code := cmd.ProcessState.ExitCode(); code != exitInterrupted || err != nil || !strings.Contains(stderr.String(), "interrupted") {
		t.Fatalf("exit %d, %v: %s", code, err, stderr.String())
	}
	return decode(t, string(data)), string(end)
}
