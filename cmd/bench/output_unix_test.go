//go:build unix

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/gmind-go/compute/internal/testenv"
)

// TestPipe: an output can be a named pipe, whose reader gets the results and nothing before.
func TestPipe(t *testing.T) {
	mkfifo, err := exec.LookPath("mkfifo")
	if err != nil {
		testenv.Lacking(t, "mkfifo: %v", err)
	}
	name := filepath.Join(t.TempDir(), "pipe")
	if out, err := exec.Command(mkfifo, name).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	read := make(chan []byte)
	go func() {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Error(err)
		}
		read <- data
	}()
	if _, stderr, code := bench(t, "-backend", "cpu", "-n", "1Ki", "-runs", "1", "-cache", "warm", "-json", name); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if r := decode(t, string(<-read)); len(r.Results) != 4 {
		t.Errorf("%d results", len(r.Results))
	}
}
