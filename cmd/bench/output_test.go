package main

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOutputs: all forms of the results, at once.
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

// TestStandardOutput: any of the text forms can go there, and the table then does not.
func TestStandardOutput(t *testing.T) {
	for flag, begins := range map[string]string{"-csv": "device,", "-benchfmt": "goos: ", "-html": "<!"} {
		stdout, stderr, code := bench(t, "-backend", "cpu", "-n", "1Ki", "-runs", "1", "-cache", "warm", flag, "-")
		if code != 0 || !strings.HasPrefix(strings.ToLower(stdout), begins) || !strings.Contains(stderr, "GB/s") {
			t.Errorf("%s -: exit %d, %.100q, %.100q", flag, code, stdout, stderr)
		}
	}
}

// TestJSONToDevice: -json can name what is no regular file.
func TestJSONToDevice(t *testing.T) {
	if _, stderr, code := bench(t, "-backend", "cpu", "-n", "1Ki", "-runs", "1", "-json", os.DevNull); code != 0 {
		t.Errorf("exit %d: %s", code, stderr)
	}
}
