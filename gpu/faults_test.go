//go:build opencl && cgo && linux

package gpu

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// The environment of the faults. faultsEnv names the file through which the
// process of TestFaultSweep and the layer share a control. With pickEnv set to
// "all" every fault is tried, with the text that a failure prints that one alone.
const (
	faultsEnv = "COMPUTE_FAULTS"
	pickEnv   = "FAULTS"
)

// control is the struct of testdata/faultlayer.c.
type control struct {
	armed, failAt, code, mode atomic.Int32
	maxAlloc                  atomic.Int32
	calls, counted, failed    atomic.Int32
	created, released         [len(kinds)]atomic.Int32
	name                      [64]byte // of the call that failed first, ended by a zero

	trying [64]byte // the fault, for who finds this process dead; the layer knows nothing of it
}

var kinds = [...]string{"context", "queue", "program", "kernel", "mem", "event"}

// A fault is one call to be made to fail.
type fault struct {
	scenario string
	n        int32 // of the calls that count
	code     int32
	mode     int32
}

// The modes, as the layer has them.
const (
	fail int32 = iota
	failFrom
	late
	later
)

var modes = [...]string{"FAIL", "FAIL_FROM", "LATE", "LATER"}

// codes are those that a call fails with: three that tell of too little memory, a
// failed command, an object that is none, a size that is none, and one of the
// loader.
var codes = []int32{-4, -5, -6, -14, -36, -61, -1001}

func outOfMemory(code int32) bool { return slices.Contains([]int32{-4, -5, -6, -61}, code) }

// String returns what FAULTS is to be to try f alone.
func (f fault) String() string {
	return fmt.Sprintf("%s,%d,%d,%s", f.scenario, f.n, f.code, modes[f.mode])
}

func parseFault(text string) (f fault, err error) {
	var mode string
	f.scenario, text, _ = strings.Cut(text, ",")
	if _, err = fmt.Sscanf(text, "%d,%d,%s", &f.n, &f.code, &mode); err != nil {
		return f, err
	}
	f.mode = int32(slices.Index(modes[:], mode))
	if f.mode < 0 || scenarios[f.scenario] == nil {
		return f, fmt.Errorf("no such scenario or mode")
	}
	return f, nil
}

func text(zeroEnded []byte) string {
	before, _, _ := bytes.Cut(zeroEnded, []byte{0})
	return string(before)
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

// TestFaults makes every OpenCL call fail, one after the other, and looks at what
// the callers of this package then see. The loader reads the environment once and
// a driver may take a fault badly, so this happens in a process of its own.
func TestFaults(t *testing.T) {
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
	cmd := exec.Command(os.Args[0], "-test.run=^TestFaultSweep$", "-test.v")
	if deadline, ok := t.Deadline(); ok { // it ends before this process does
		cmd.Args = append(cmd.Args, "-test.timeout="+(time.Until(deadline)-5*time.Second).String())
	}
	cmd.Env = append(os.Environ(), "OPENCL_LAYERS="+layer, faultsEnv+"="+file, "OCL_ICD_VENDORS="+onlyPoCL(t, dir), "TMPDIR="+dir)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	switch {
	case err != nil && shared.trying[0] != 0:
		t.Errorf("%v; the last was %s=%s, of which %q failed", err, pickEnv, text(shared.trying[:]), text(shared.name[:]))
	case err != nil:
		t.Error(err)
	case !bytes.Contains(out, []byte("\nfaults: ")):
		lacking(t, "OpenCL device, or no loader that knows layers")
	}
}

// lacking ends a test for want of something.
func lacking(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("REQUIRE_OPENCL") == "1" {
		t.Fatalf("there is no %s", what)
	}
	t.Skipf("there is no %s (REQUIRE_OPENCL=1 makes this a failure)", what)
}

func buildLayer(t *testing.T, path string) {
	t.Helper()
	cc := strings.Fields(os.Getenv("CC"))
	for _, name := range []string{"cc", "gcc", "clang"} {
		if _, err := exec.LookPath(name); err == nil && len(cc) == 0 {
			cc = []string{name}
		}
	}
	if len(cc) == 0 {
		lacking(t, "C compiler")
	}
	args := append(cc[1:], "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-o", path, "testdata/faultlayer.c")
	if flags, err := exec.Command("pkg-config", "--cflags", "OpenCL").Output(); err == nil {
		args = append(args, strings.Fields(string(flags))...)
	}
	cmd := exec.Command(cc[0], args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		lacking(t, fmt.Sprintf("way to build an OpenCL layer: %v: %v\n%s", cmd, err, out))
	} else if len(out) > 0 {
		t.Logf("%s", out)
	}
}

// onlyPoCL returns a directory in dir that names PoCL as the only driver.
func onlyPoCL(t *testing.T, dir string) string {
	t.Helper()
	drivers, _ := filepath.Glob("/etc/OpenCL/vendors/*pocl*.icd")
	if len(drivers) == 0 {
		lacking(t, "PoCL")
	}
	vendors := filepath.Join(dir, "vendors")
	if err := os.Mkdir(vendors, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(drivers[0], filepath.Join(vendors, "pocl.icd")); err != nil {
		t.Fatal(err)
	}
	return vendors
}

// TestFaultSweep is the process that TestFaults starts.
func TestFaultSweep(t *testing.T) {
	path := os.Getenv(faultsEnv)
	if path == "" {
		t.Skip("TestFaults runs this")
	}
	shared, err := mapControl(path)
	if err != nil {
		t.Fatal(err)
	}
	if devices, err := list(Options{}); len(devices) == 0 || shared.calls.Load() == 0 {
		t.Skipf("%d devices, listed by %d calls through the layer: %v", len(devices), shared.calls.Load(), err)
	}
	s := newSweep(t, shared)
	end := make(chan struct{})
	defer close(end)
	go s.watch(end)
	pick := os.Getenv(pickEnv)
	if pick != "" && pick != "all" {
		f, err := parseFault(pick)
		if err != nil {
			t.Fatalf("%s=%s: %v", pickEnv, pick, err)
		}
		s.try(f)
	} else {
		for _, scenario := range slices.Sorted(maps.Keys(scenarios)) {
			for mode := range modes {
				s.all(scenario, int32(mode), pick == "all")
			}
		}
	}
	if s.tried == 0 {
		t.Error("no call was made to fail; are there so many?")
	}
	held := "all held"
	if s.broken > 0 {
		held = fmt.Sprintf("%d DID NOT HOLD", s.broken)
	}
	fmt.Printf("faults: %d calls made to fail (%d codes, %d modes, %d kinds of call), %s\n", s.tried, len(codes), len(modes), len(s.calls), held)
}

// A sweep tries faults, one at a time.
type sweep struct {
	t       *testing.T
	control *control
	data    testData

	tried  int
	broken int             // of those, what did not hold
	calls  map[string]bool // the kinds of call that were made to fail
	told   map[string]int  // failures of this test, by the kind of call

	seconds atomic.Int32 // since the last fault was begun
}

// watch ends the process when a fault makes it hang. It counts seconds, as a process
// that was stopped for a while hangs on no account of its own.
func (s *sweep) watch(end <-chan struct{}) {
	for {
		select {
		case <-end:
			return
		case <-time.After(time.Second):
		}
		if s.seconds.Add(1) < 20 {
			continue
		}
		stacks := make([]byte, 1<<20)
		fmt.Printf("%s=%s (%s) hangs\n%s\n", pickEnv, text(s.control.trying[:]), text(s.control.name[:]), stacks[:runtime.Stack(stacks, true)])
		os.Exit(3)
	}
}

// all tries every call of a scenario in a mode. Of the codes each is tried for the
// first call of every kind; they take turns for the others, unless every is set.
// Without that it also leaves out most of what tells little: that everything fails
// from some call on.
func (s *sweep) all(scenario string, mode int32, every bool) {
	first := map[string]bool{}
	stride := int32(1)
	if mode == failFrom && !every {
		stride = 5
	}
	for n := int32(1); ; n += stride {
		f := fault{scenario, n, codes[int(n)%len(codes)], mode}
		if !s.try(f) {
			return
		}
		name := text(s.control.name[:])
		if first[name] && !every {
			continue
		}
		first[name] = true
		for _, code := range codes {
			if code != f.code {
				s.try(fault{scenario, n, code, mode})
			}
		}
	}
}

// try tries one fault, and tells whether there was a call to make fail.
func (s *sweep) try(f fault) bool {
	c := s.control
	c.armed.Store(0)
	for _, counter := range []*atomic.Int32{&c.counted, &c.failed, &c.maxAlloc} {
		counter.Store(0)
	}
	for kind := range kinds {
		c.created[kind].Store(0)
		c.released[kind].Store(0)
	}
	clear(c.name[:])
	copy(c.trying[:], f.String())
	s.seconds.Store(0)

	err := scenarios[f.scenario](s, f)
	if err == nil {
		err = s.balance()
	}
	clear(c.trying[:])
	name := text(c.name[:])
	if err != nil {
		s.broken++
		if s.told[name]++; s.told[name] <= 5 { // more of a kind tell nothing new
			s.t.Errorf("%s=%v (%s): %v", pickEnv, f, name, err)
		}
	}
	if c.failed.Load() == 0 {
		return false
	}
	s.tried++
	s.calls[name] = true
	return true
}

// arm makes the fault f happen from now on.
func (s *sweep) arm(f fault) {
	s.control.failAt.Store(f.n)
	s.control.code.Store(f.code)
	s.control.mode.Store(f.mode)
	s.control.armed.Store(1)
}

// balance tells of objects that were not released.
func (s *sweep) balance() error {
	for kind, name := range kinds {
		if made, gone := s.control.created[kind].Load(), s.control.released[kind].Load(); made != gone {
			return fmt.Errorf("at the end %d of %d references to a %s are released", gone, made, name)
		}
	}
	return nil
}
