//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/creack/pty"
)

// onTerminal runs the program with a terminal as its output, and returns what it writes.
func onTerminal(t *testing.T, env string, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), "LC_ALL="+env)
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Skipf("no terminal to be had: %v", err)
	}
	defer terminal.Close()
	text, _ := io.ReadAll(terminal) // on Linux, this ends with an error
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, text)
	}
	return string(text)
}

// left matches the elapsed and the remaining time of a progress.
var left = regexp.MustCompile(`\[\d+m?s:`)

// TestTerminal: on a terminal there is a progress with the remaining time, which is removed
// at the end, and bars in the table if the terminal shows their characters.
func TestTerminal(t *testing.T) {
	args := []string{"-backend", "cpu", "-n", "1Ki,4Ki", "-cache", "warm", "-time", "50ms"}
	text := onTerminal(t, "C.UTF-8", args...)
	if !strings.Contains(text, "%") || !strings.Contains(text, "cpu") || !left.MatchString(text) {
		t.Errorf("no progress: %q", text)
	}
	if before, _, _ := strings.Cut(text, "GB/s"); !strings.Contains(before, "generating the input") {
		t.Errorf("nothing is shown before the measurement: %q", before)
	}
	bars := regexp.MustCompile(` % [█▉▊▋▌▍▎▏]`)
	if !bars.MatchString(text) {
		t.Errorf("no bars: %q", text)
	}
	_, rest, _ := strings.Cut(text, "How fast is")
	if left.MatchString(rest) {
		t.Errorf("the progress stays: %q", rest)
	}
	if text := onTerminal(t, "C", args...); bars.MatchString(text) {
		t.Errorf("bars, though the terminal does not show them: %q", text)
	}
}

// TestProgressFits: a progress fits on a terminal if the name of the device is long.
func TestProgressFits(t *testing.T) {
	pseudo, terminal, err := pty.Open()
	if err != nil {
		t.Skipf("no terminal to be had: %v", err)
	}
	defer pseudo.Close()
	p := newProgress(terminal, 1000)
	p.describe(strings.Repeat("Größe ", 20), "1048577, cold")
	p.clear()
	terminal.Close()
	text, _ := io.ReadAll(pseudo)
	for _, part := range strings.FieldsFunc(string(text), func(r rune) bool { return r == '\r' || r == '\n' }) {
		if n := utf8.RuneCountInString(part); n > 80-len(" 100%")-len("12h34m5s:12h34m5s")+len("0%")+len("0s:0s") {
			t.Errorf("%d columns: %q", n, part)
		}
	}
	if !strings.Contains(string(text), "Größe Größe Größe...,") {
		t.Errorf("got %q", text)
	}
}
