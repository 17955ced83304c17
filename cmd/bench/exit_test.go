package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gpu"
)

// TestUnusable: a device or backend that is named and cannot be used is an error,
// and no other is measured in its place; files that were there are kept.
func TestUnusable(t *testing.T) {
	in := write(t, npyBytes("<f4", "(2,)", binary.LittleEndian, []float32{1, -1}))
	old, fresh := filepath.Join(t.TempDir(), "old.npy"), filepath.Join(t.TempDir(), "fresh.json")
	if err := os.WriteFile(old, []byte("precious"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-device", "Voodoo"},
		{"-backend", "opencl", "-device", "Voodoo"},
		{"-backend", "opencl", "-device", "Voodoo", "-input", in, "-output", old, "-json", fresh},
	} {
		stdout, stderr, code := bench(t, args...)
		if code != exitUnusable || strings.Contains(stdout, "forward") || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "backend unavailable") {
			t.Errorf("bench %q: exit %d, stdout %q, stderr %q; want exit 3 and the reason in one line", args, code, stdout, stderr)
		}
	}
	if data, err := os.ReadFile(old); string(data) != "precious" {
		t.Errorf("the file of -output now holds %q, %v", data, err)
	}
	if _, err := os.Stat(fresh); err == nil {
		t.Error("a file for -json was left, with nothing measured")
	}

	t.Setenv(gpu.DeviceEnv, "none")
	if _, stderr, code := bench(t, "-backend", "opencl"); code != exitUnusable {
		t.Errorf("-backend opencl without any: exit %d, %s", code, stderr)
	}
	if _, stderr, code := benchWith(t, []string{vendorsEnv + "=/nonexistent"}, "-device", "all"); code != exitUnusable || !strings.Contains(stderr, "backend unavailable") {
		t.Errorf("-device all without any: exit %d, %s", code, stderr)
	}
}

// wrong is a backend whose derivative is off by one bit at one element.
type wrong struct{ compute.Backend }

func (b wrong) Derivative(f compute.Activation, d, x compute.Buffer) error {
	v := make([]float32, d.Len())
	if err := errors.Join(b.Backend.Derivative(f, d, x), d.Read(v)); err != nil {
		return err
	}
	v[77] = math.Float32frombits(math.Float32bits(v[77]) ^ 1)
	return d.Write(v)
}

// failing is a backend whose kernels fail.
type failing struct {
	compute.Backend
	err error
}

func (b failing) Forward(compute.Activation, compute.Buffer, compute.Buffer) error { return b.err }

func TestBadBackends(t *testing.T) {
	choose := func(wrap func(compute.Backend) compute.Backend) chooser {
		return func(config, error) ([]target, error, error) {
			b, err := cpu.Open()
			return []target{{Backend: wrap(b)}}, nil, err
		}
	}
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"-n", "1Ki", "-runs", "1", "-cache", "warm"}, &stdout, &stderr,
		choose(func(b compute.Backend) compute.Backend { return wrong{b} }))
	if code != exitWrong || !strings.Contains(stderr.String(), "wrong result: derivative on cpu") || !strings.Contains(stderr.String(), "element 77 of 1024") {
		t.Errorf("one wrong bit: exit %d, %s; want 1, and where", code, stderr.String())
	}
	if !strings.Contains(stdout.String(), "WRONG") || strings.Count(stdout.String(), "  WRONG\n") != 1 {
		t.Errorf("one wrong bit: the table does not show it once: %s", stdout.String())
	}

	stderr.Reset()
	code = run(t.Context(), []string{"-n", "1Ki", "-runs", "1", "-cache", "warm"}, &stdout, &stderr,
		choose(func(b compute.Backend) compute.Backend { return failing{b, compute.ErrDevice} }))
	if code != exitUnusable || !strings.Contains(stderr.String(), "device fault") {
		t.Errorf("a device that fails: exit %d, %s; want 3", code, stderr.String())
	}

	if code := run(t.Context(), []string{"-n", "1Ki", "-runs", "1", "-cache", "warm"}, &stdout, &stderr,
		choose(func(b compute.Backend) compute.Backend { return failing{b, compute.ErrOutOfMemory} })); code != exitUnusable {
		t.Errorf("an asked size that does not fit: exit %d, want 3", code)
	}
}

// TestInputThatDoesNotFit: what was asked for and could not be done is an error.
func TestInputThatDoesNotFit(t *testing.T) {
	in := write(t, npyBytes("<f4", "(2,)", binary.LittleEndian, []float32{1, -1}))
	var stdout, stderr bytes.Buffer
	code := run(t.Context(), []string{"-backend", "cpu", "-input", in, "-output", in}, &stdout, &stderr,
		func(config, error) ([]target, error, error) {
			b, err := cpu.Open()
			return []target{{Backend: failing{b, compute.ErrOutOfMemory}}}, nil, err
		})
	if code != exitUnusable || !strings.Contains(stderr.String(), "out of memory") {
		t.Errorf("exit %d, %s; want 3 and the reason", code, stderr.String())
	}
	if data, err := os.ReadFile(in); err != nil || len(data) != 136 {
		t.Errorf("the file of -output was changed to %d bytes, %v", len(data), err)
	}
}

// TestDefaultSizesThatDoNotFit: they are left out, with a note.
func TestDefaultSizesThatDoNotFit(t *testing.T) {
	b, c, in := onCPU(t, 1024, "forward")
	c.runs, c.caches = 1, []string{report.Warm}
	var table bytes.Buffer
	m := &meter{c: c, in: in, report: &report.Report{}, table: report.Table{W: &table}}
	if err := m.measure(t.Context(), target{Backend: failing{b, compute.ErrOutOfMemory}}); err != nil {
		t.Errorf("got %v, want a note", err)
	}
	if !strings.Contains(table.String(), "1Ki elements not measured: out of memory") || len(m.report.Notes) != 1 {
		t.Errorf("it is not told: %s, %q", table.String(), m.report.Notes)
	}
	if live := b.Info().LiveBuffers; live != 0 {
		t.Errorf("%d buffers were left", live)
	}
}
