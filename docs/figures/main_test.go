package main

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestUpToDate: the committed figures are those that the program draws.
func TestUpToDate(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("other processors round the coordinates differently")
	}
	dir := t.TempDir()
	if err := draw(testenv.Open(t, cpu.Open), dir); err != nil {
		t.Fatal(err)
	}
	drawn, err := filepath.Glob(filepath.Join(dir, "*.svg"))
	if err != nil || len(drawn) != 2 {
		t.Fatalf("%d figures, %v", len(drawn), err)
	}
	for _, file := range drawn {
		got, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := os.ReadFile(filepath.Join("..", filepath.Base(file)))
		if err != nil || !bytes.Equal(got, kept) {
			t.Errorf("docs/%s is out of date (%v); run go generate ./docs/figures", filepath.Base(file), err)
		}
	}
}
