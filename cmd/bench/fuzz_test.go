package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzNpy: a file is refused, or has values that make up the file again.
func FuzzNpy(f *testing.F) {
	header := "\x93NUMPY\x01\x00\x46\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }            \n"
	f.Add([]byte(header + "\x00\x00\x80\x3f\x00\x00\xc0\x7f"))
	f.Add([]byte(strings.Replace(header, "<", ">", 1) + "\x3f\x80\x00\x00\x7f\xc0\x00\x00"))
	f.Add([]byte(header + "\x00\x00\x80\x3f"))
	f.Add([]byte(header + "\x00\x00\x80\x3f\x00\x00\xc0\x7f\x00"))
	f.Fuzz(func(t *testing.T, file []byte) {
		name := filepath.Join(t.TempDir(), "values.npy")
		if err := os.WriteFile(name, file, 0o600); err != nil {
			t.Fatal(err)
		}
		npy, err := readNpy(name)
		if err != nil {
			return
		}
		again, err := npy.withValues(npy.values)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again, file) {
			t.Errorf("%q is written as %q", file, again)
		}
	})
}

// TestNpyHugeHeader: a header that names gigabytes is refused before there is memory
// for it.
func TestNpyHugeHeader(t *testing.T) {
	name := filepath.Join(t.TempDir(), "values.npy")
	if err := os.WriteFile(name, []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readNpy(name); err == nil || !strings.Contains(err.Error(), "its header should have 4294967295 bytes") {
		t.Errorf("got %v, want an error that tells the size", err)
	}
}
