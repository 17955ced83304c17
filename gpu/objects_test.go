//go:build opencl && cgo && linux

package gpu

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"unsafe"
)

// TestObjects runs the conformance suite and other tests of this package once more, in
// a process with the layer of TestFaults, that only counts here: every OpenCL object
// that they made is released at the end.
func TestObjects(t *testing.T) {
	dir := t.TempDir()
	layer, file := filepath.Join(dir, "faultlayer.so"), filepath.Join(dir, "control")
	buildLayer(t, layer)
	if err := os.WriteFile(file, make([]byte, unsafe.Sizeof(control{})), 0o666); err != nil {
		t.Fatal(err)
	}
	shared, err := mapControl(file)
	if err != nil {
		t.Fatal(err)
	}
	// Without kernels of other shapes, as the layer knows a program by its source
	// alone, and without what starts processes that do not close what they open.
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.short", "-test.v",
		"-test.run=^(TestConformance|TestStream.*|TestPool|TestTrim.*|TestFault|TestDevices|TestOutOfMemory)$",
		"-test.skip=^TestStreamLarge$|^TestConformance$/width")
	cmd.Env = append(os.Environ(), "OPENCL_LAYERS="+layer, faultsEnv+"="+file, "OCL_ICD_VENDORS="+onlyPoCL(t, dir))
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if shared.calls.Load() == 0 || bytes.Contains(out, []byte("--- SKIP: TestConformance")) {
		lacking(t, "OpenCL device, or no loader that knows layers")
	}
	for kind, name := range kinds {
		made, gone := shared.created[kind].Load(), shared.released[kind].Load()
		t.Logf("%d references to a %s", made, name)
		if made == 0 || made != gone {
			t.Errorf("of %d references to a %s %d are released at the end", made, name, gone)
		}
	}
}
