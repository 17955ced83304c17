//go:build opencl && cgo && linux

package gpu

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/gmind-go/compute/internal/testenv"
)

// controlEnv names the file through which a test and the layer share a control.
const controlEnv = "COMPUTE_FAULTS"

// control is the struct of testdata/intercept_faults.c.
type control struct {
	armed, failAt, code, mode atomic.Int32
	maxAlloc                  atomic.Int32
	calls, counted, failed    atomic.Int32
	created, released         [len(kinds)]atomic.Int32
	name                      [64]byte // of the call that failed first, ended by a zero

	trying [64]byte // the fault, for who finds this process dead; the layer knows nothing of it
}

var kinds = [...]string{"context", "queue", "program", "kernel", "mem", "event"}

// reset ends what fault there is, and begins to count anew.
func (c *control) reset() {
	c.armed.Store(0)
	for _, counter := range []*atomic.Int32{&c.counted, &c.failed, &c.maxAlloc} {
		counter.Store(0)
	}
	for kind := range kinds {
		c.created[kind].Store(0)
		c.released[kind].Store(0)
	}
	clear(c.name[:])
}

// balance tells of objects that were not released.
func (c *control) balance() error {
	for kind, name := range kinds {
		if made, gone := c.created[kind].Load(), c.released[kind].Load(); made != gone {
			return fmt.Errorf("at the end %d of %d references to a %s are released", gone, made, name)
		}
	}
	return nil
}

func text(zeroEnded []byte) string {
	before, _, _ := bytes.Cut(zeroEnded, []byte{0})
	return string(before)
}

// layerCommand returns the command that runs a test of this package, which calls
// underLayer, in a process of its own, and the control of that: the loader reads the
// environment once, and a driver may take a fault badly.
func layerCommand(t *testing.T, test string) (*exec.Cmd, *control) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "control")
	if err := os.WriteFile(file, make([]byte, unsafe.Sizeof(control{})), 0o666); err != nil {
		t.Fatal(err)
	}
	c, err := mapControl(file)
	if err != nil {
		t.Fatal(err)
	}
	cmd := testCommand(t, test, testenv.BuildLayer(t, "testdata/intercept_faults.c"), controlEnv+"="+file, "TMPDIR="+dir)
	return cmd, c
}

// testCommand returns the command that runs a test of this package in a process of its
// own, under a layer, with PoCL as the only driver and the environment variables of env. The
// caller waits for it before it uses OpenCL again.
func testCommand(t *testing.T, test, layer string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.v")
	if deadline, ok := t.Deadline(); ok { // it ends before this process does
		cmd.Args = append(cmd.Args, "-test.timeout="+(time.Until(deadline)-5*time.Second).String())
	}
	cmd.Env = append(os.Environ(), "OPENCL_LAYERS="+layer, "OCL_ICD_VENDORS="+onlyPoCL(t), testenv.LendCache())
	cmd.Env = append(cmd.Env, env...)
	return cmd
}

// underLayer returns the control, in a process of layerCommand, and skips the test in
// any other, or where the layer shows fewer devices.
func underLayer(t *testing.T, devices int) *control {
	t.Helper()
	path := os.Getenv(controlEnv)
	if path == "" {
		t.Skip("another test runs this, in a process of its own")
	}
	c, err := mapControl(path)
	if err != nil {
		t.Fatal(err)
	}
	if found, err := list(Options{}); len(found) < devices || c.calls.Load() == 0 {
		t.Skipf("%d devices, listed by %d calls through the layer: %v", len(found), c.calls.Load(), err)
	}
	return c
}

// mapControl maps the control in the file at path.
func mapControl(path string) (*control, error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	memory, err := syscall.Mmap(int(file.Fd()), 0, int(unsafe.Sizeof(control{})), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return (*control)(unsafe.Pointer(&memory[0])), nil
}
