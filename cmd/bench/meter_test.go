package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cmd/bench/internal/report"
)

// TestDefaultSizesThatDoNotFit: default sizes that do not fit are left out, with a note.
func TestDefaultSizesThatDoNotFit(t *testing.T) {
	b, c, in := onCPU(t, 1024, "forward")
	c.runs, c.caches = 1, []string{report.Warm}
	var table bytes.Buffer
	m := &meter{c: c, in: in, report: &report.Report{}, table: report.Table{W: &table}}
	if err := m.measure(t.Context(), target{Backend: failing{b, compute.ErrOutOfMemory}}); err != nil {
		t.Errorf("got %v, want a note", err)
	}
	if !strings.Contains(table.String(), "1Ki elements not measured: out of memory") || len(m.report.Notes) != 1 {
		t.Errorf("it is not printed: %s, %q", table.String(), m.report.Notes)
	}
	if live := b.Info().LiveBuffers; live != 0 {
		t.Errorf("%d buffers were left", live)
	}
}

// TestStates: sizes that no cache holds are measured once, and cold.
func TestStates(t *testing.T) {
	m := meter{c: &config{caches: []string{report.Cold, report.Warm}}}
	const cache = 32 << 20
	for n, want := range map[int]string{1: "warm", 1 << 10: "cold warm", cache / 12: "cold warm", cache/12 + 1: "cold", cache: "cold"} {
		if got := strings.Join(m.states(n, cache), " "); got != want {
			t.Errorf("%d elements are measured %s, want %s", n, got, want)
		}
	}
}
