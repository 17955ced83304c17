package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// npyBytes returns a NumPy file of version 1.0.
func npyBytes(descr, shape string, order binary.AppendByteOrder, v []float32) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }", descr, shape)
	header += strings.Repeat(" ", 64-(10+len(header)+1)%64) + "\n"
	file := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), byte(len(header)>>8))
	file = append(file, header...)
	for _, x := range v {
		file = order.AppendUint32(file, math.Float32bits(x))
	}
	return file
}

func write(t *testing.T, data []byte) (name string) {
	t.Helper()
	name = filepath.Join(t.TempDir(), "in.npy")
	if err := os.WriteFile(name, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestNpy: -input and -output work with all kinds of values on both backends.
func TestNpy(t *testing.T) {
	x := values.Bits(4096, 1)
	copy(x, values.Special())
	backends := map[string][]string{"cpu": {"-backend", "cpu"}, "opencl": {"-backend", "opencl", "-device", "any"}}
	formats := map[string]struct {
		descr, shape string
		order        binary.AppendByteOrder
	}{
		"flat":       {"<f4", "(4096,)", binary.LittleEndian},
		"3-D":        {"<f4", "(16, 32, 8)", binary.LittleEndian},
		"big endian": {">f4", "(64, 64)", binary.BigEndian},
	}
	f := compute.LeakyReLU(-0.5)
	for backend, args := range backends {
		t.Run(backend, func(t *testing.T) {
			flushes := false
			if backend == "opencl" {
				flushes = testenv.Open(t, gpu.OpenDevice("any")).Info().FlushesSubnormals
			}
			for name, format := range formats {
				in := write(t, npyBytes(format.descr, format.shape, format.order, x))
				for _, fm := range form.Plain() {
					out := filepath.Join(t.TempDir(), "out.npy")
					args := append([]string{"-input", in, "-output", out, "-op", fm.String(), "-slope", "-0.5", "-runs", "1", "-cache", "warm"}, args...)
					if _, stderr, code := bench(t, args...); code != 0 {
						t.Fatalf("%s, %v: exit %d: %s", name, fm, code, stderr)
					}
					got, err := os.ReadFile(out)
					if err != nil {
						t.Fatal(err)
					}
					empty := npyBytes(format.descr, format.shape, format.order, nil)
					if len(got) != len(empty)+4*len(x) || !bytes.Equal(got[:len(empty)], empty) {
						t.Fatalf("%s: the header of the output is not that of the input", name)
					}
					for i := range x {
						bits := format.order.(binary.ByteOrder).Uint32(got[len(empty)+4*i:])
						dy := x[len(x)-1-i]
						if v := math.Float32frombits(bits); !fm.Results()[0].Agrees(f, v, dy, x[i], flushes) {
							t.Fatalf("%s, %v: value %d is %x and should be %x", name, fm, i, v, fm.Results()[0].Want(f, dy, x[i]))
						}
					}
				}
			}
		})
	}
}

// TestOutputDefault: -output means forward if no operation is named.
func TestOutputDefault(t *testing.T) {
	x := []float32{-2, 3}
	in := write(t, npyBytes("<f4", "(2,)", binary.LittleEndian, x))
	if _, stderr, code := bench(t, "-backend", "cpu", "-input", in, "-output", in, "-slope", "0.5", "-runs", "1"); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	got, err := os.ReadFile(in) // over the input
	if want := npyBytes("<f4", "(2,)", binary.LittleEndian, []float32{-1, 3}); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v: got %q, want %q", err, got, want)
	}
}

// TestEmpty: a file without values gives an empty result, and nothing is measured.
func TestEmpty(t *testing.T) {
	file := npyBytes("<f4", "(3, 0)", binary.LittleEndian, nil)
	in, out := write(t, file), filepath.Join(t.TempDir(), "out.npy")
	other := filepath.Join(t.TempDir(), "r.json")
	if _, stderr, code := bench(t, "-backend", "opencl", "-input", in, "-output", out, "-json", other); code != 0 {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, file) {
		t.Errorf("%v: got %q, want %q", err, got, file)
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("there is a file of results")
	}
}

// FuzzNpy: a file is an error, or can be written again from its values.
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

// TestNpyHugeHeader: a header that claims gigabytes is an error, and is not allocated.
func TestNpyHugeHeader(t *testing.T) {
	name := filepath.Join(t.TempDir(), "values.npy")
	if err := os.WriteFile(name, []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := readNpy(name); err == nil || !strings.Contains(err.Error(), "its header should have 4294967295 bytes") {
		t.Errorf("got %v, want an error with the size", err)
	}
}
