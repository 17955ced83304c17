package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/gmind-go/compute/cmd/bench/internal/command"
	"github.com/gmind-go/compute/cmd/bench/internal/doctor"
)

// TestOutputs: all formats at once.
func TestOutputs(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	stdout, stderr, code := bench(t, "-backend", "cpu", "-n", "1Ki,4Ki", "-runs", "7", "-cache", "warm",
		"-json", file("r.json"), "-csv", file("r.csv"), "-benchfmt", file("r.txt"), "-html", file("r.html"), "-plot", file("r.svg"))
	if code != 0 || !strings.Contains(stdout, "GB/s") {
		t.Fatalf("exit %d: %s%s", code, stdout, stderr)
	}
	read := func(name string) string {
		data, err := os.ReadFile(file(name))
		if err != nil {
			t.Error(err)
		}
		return string(data)
	}
	r := decode(t, read("r.json"))
	if len(r.Results) != 8 {
		t.Fatalf("%d results", len(r.Results))
	}
	records, err := csv.NewReader(strings.NewReader(read("r.csv"))).ReadAll()
	if err != nil || len(records) != 9 {
		t.Errorf("CSV: %v, %d lines", err, len(records))
	}
	if lines := regexp.MustCompile(`(?m)^(# )?BenchmarkForward/.*n=4Ki.* ns/op`).FindAllString(read("r.txt"), -1); len(lines) != 7 {
		t.Errorf("benchfmt: %q; want 7 lines of forward at 4Ki", lines)
	}
	if rows := strings.Count(read("r.html"), "<tr data-"); rows != 8 {
		t.Errorf("HTML: %d rows", rows)
	}
	if !strings.Contains(read("r.svg"), "<svg") {
		t.Error("no SVG")
	}
	if _, stderr, code := bench(t, "-backend", "cpu", "-n", "1Ki", "-runs", "1", "-plot", file("r.png")); code != 0 || !strings.HasPrefix(read("r.png"), "\x89PNG") {
		t.Errorf("PNG: exit %d: %s", code, stderr)
	}
}

// TestStandardOutput: a text format can be written to standard output, in place of the table.
func TestStandardOutput(t *testing.T) {
	for flag, begins := range map[string]string{"-csv": "device,", "-benchfmt": "goos: ", "-html": "<!"} {
		stdout, stderr, code := bench(t, "-backend", "cpu", "-n", "1Ki", "-runs", "1", "-cache", "warm", flag, "-")
		if code != 0 || !strings.HasPrefix(strings.ToLower(stdout), begins) || !strings.Contains(stderr, "GB/s") {
			t.Errorf("%s -: exit %d, %.100q, %.100q", flag, code, stdout, stderr)
		}
	}
}

// TestJSONToDevice: -json can name a file that is not regular.
func TestJSONToDevice(t *testing.T) {
	if _, stderr, code := bench(t, "-backend", "cpu", "-n", "1Ki", "-runs", "1", "-json", os.DevNull); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// short is a Writer with room for a number of bytes.
type short struct{ room int }

var errShort = errors.New("no space left")

func (s *short) Write(p []byte) (int, error) {
	if s.room -= len(p); s.room < 0 {
		return 0, errShort
	}
	return len(p), nil
}

// TestFullOutput: a write error of standard output is an error of every command. The files
// are written nevertheless, if anything was measured.
func TestFullOutput(t *testing.T) {
	old := writeReport(t, 1, 1)
	none := filepath.Join(t.TempDir(), "none.json")
	name := filepath.Join(t.TempDir(), "r.json")
	measure := func(args ...string) func(w, stderr io.Writer) int {
		return func(w, stderr io.Writer) int {
			return run(t.Context(), append(args, "-backend", "cpu", "-n", "1Ki,2Ki", "-runs", "1", "-cache", "warm"), w, stderr, openTargets)
		}
	}
	for what, test := range map[string]struct {
		room    int
		command func(w, stderr io.Writer) int
	}{
		"bench":         {0, measure("-json", none)}, // at once
		"bench later":   {200, measure("-json", name)},
		"bench -csv -":  {0, measure("-csv", "-")},
		"bench -h":      {0, func(w, stderr io.Writer) int { return run(t.Context(), []string{"-h"}, w, stderr, openTargets) }},
		"bench devices": {0, func(w, stderr io.Writer) int { return doctor.Devices(nil, w, stderr) }},
		"devices -h":    {0, func(w, stderr io.Writer) int { return doctor.Devices([]string{"-h"}, w, stderr) }},
		"bench compare": {0, func(w, stderr io.Writer) int { return compare([]string{old, old}, w, stderr) }},
		"compare -h":    {0, func(w, stderr io.Writer) int { return compare([]string{"-h"}, w, stderr) }},
	} {
		var stderr bytes.Buffer
		if code := test.command(&short{test.room}, &stderr); code != command.Usage || strings.Count(stderr.String(), errShort.Error()) != 1 {
			t.Errorf("%s: exit %d, %q; want exit 2 and the reason", what, code, stderr.String())
		}
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("it measured without an output")
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if r := decode(t, string(data)); len(r.Results) != 8 {
		t.Errorf("%d results are kept", len(r.Results))
	}
}

// TestReplace: the kinds of files that an output may be, before and after it is written.
func TestReplace(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.Mkdir("sub", 0o777))
	must(os.WriteFile("old", []byte("longer than the results"), 0o640))
	must(os.WriteFile("behind", []byte("old"), 0o600))
	links := os.Symlink("behind", "link") == nil && // not every system lets every user do so
		os.Symlink("../none", filepath.Join("sub", "dangling")) == nil &&
		os.Symlink(filepath.Join("sub", "dangling"), "twice") == nil
	for _, test := range []struct {
		name, file string
		link       bool
		mode       fs.FileMode
	}{
		{"new", "new", false, 0},
		{"old", "old", false, 0o640},
		{"link", "behind", true, 0o600},
		{"twice", "none", true, 0},
	} {
		if test.link && !links {
			continue
		}
		before, _ := os.ReadFile(test.name)
		c := config{outputs: []output{{flag: "json", name: test.name}}}
		must(c.checkFiles())
		if now, err := os.ReadFile(test.file); string(now) != string(before) || (err == nil) != (before != nil) {
			t.Errorf("%s: once it is checked, it holds %q, %v", test.name, now, err)
		}
		must(replace(test.name, []byte("results")))
		if now, err := os.ReadFile(test.file); string(now) != "results" {
			t.Errorf("%s: it holds %q, %v", test.name, now, err)
		}
		info, err := os.Lstat(test.name)
		must(err)
		if link := info.Mode()&fs.ModeSymlink != 0; link != test.link {
			t.Errorf("%s: that it is a link is now %v", test.name, link)
		}
		info, err = os.Stat(test.file)
		must(err)
		if runtime.GOOS != "windows" && test.mode != 0 && info.Mode() != test.mode {
			t.Errorf("%s: its mode is %v", test.name, info.Mode())
		}
	}
	// Two names of one new file are found.
	c := config{outputs: []output{{flag: "json", name: "fresh"}, {flag: "csv", name: filepath.Join("sub", "..", "fresh")}}}
	if err := c.checkFiles(); err == nil || !strings.Contains(err.Error(), "-csv names the file of -json") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat("fresh"); err == nil {
		t.Error("the new file is left")
	}
}
