package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/testenv"
)

func TestMain(m *testing.M) { testenv.Main(m) }

func TestRun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "loss.svg")
	if err := run(testenv.Open(t, cpu.Open), 100, file); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Size() < 1000 {
		t.Errorf("no plot: %v", err)
	}
}
