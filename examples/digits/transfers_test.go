//go:build opencl && cgo && linux

package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/gmind-go/compute/gpu"
	"github.com/gmind-go/compute/internal/testenv"
)

// countsEnv names the file of the layer that counts.
const countsEnv = "COMPUTE_COUNTS"

// counts are the calls that the layer has seen.
type counts struct{ Transfers, Kernels int32 }

// TestTransfers: on a device, a step moves nothing between it and the host. Courses of one epoch
// move the same, whatever the number of their steps.
func TestTransfers(t *testing.T) {
	if os.Getenv(countsEnv) != "" {
		t.Skip("this process is one that is counted")
	}
	testenv.Open(t, gpu.OpenDevice("any")) // or the processes below skip
	layer := testenv.BuildLayer(t, "testdata/count_calls.c")
	few, many := counted(t, layer, 2), counted(t, layer, 12)
	if few.Kernels == 0 {
		testenv.Lacking(t, "an OpenCL loader that knows layers")
	}
	t.Logf("2 steps: %+v, 12 steps: %+v", few, many)
	if few.Transfers == 0 || few.Transfers != many.Transfers {
		t.Errorf("%d transfers in a course of 2 steps, and %d in one of 12; want the same", few.Transfers, many.Transfers)
	}
	if perStep := (many.Kernels - few.Kernels) / 10; perStep < 15 {
		t.Errorf("%d kernels in a step: not all of it was on the device", perStep)
	}
}

// counted runs a course in a process of its own, under the layer.
func counted(t *testing.T, layer string, steps int) (c counts) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "counts")
	if err := os.WriteFile(file, make([]byte, binary.Size(c)), 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestCourse$", "-test.v")
	cmd.Env = append(os.Environ(), "OPENCL_LAYERS="+layer, countsEnv+"="+file, fmt.Sprint("COMPUTE_STEPS=", steps))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c.Transfers, c.Kernels = int32(binary.NativeEndian.Uint32(data)), int32(binary.NativeEndian.Uint32(data[4:]))
	return c
}

// TestCourse is the process of counted.
func TestCourse(t *testing.T) {
	var steps int
	if _, err := fmt.Sscan(os.Getenv("COMPUTE_STEPS"), &steps); err != nil {
		t.Skip("TestTransfers runs this")
	}
	if _, err := short(steps).run(testenv.Open(t, gpu.OpenDevice("any")), func(int, float32, float32) {}); err != nil {
		t.Fatal(err)
	}
}
