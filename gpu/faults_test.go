//go:build opencl && cgo && linux

package gpu

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gmind-go/compute/internal/testenv"
)

// pickEnv is the variable of the environment with which "all" tries every fault, and
// the text that a failure prints that one alone.
const pickEnv = "FAULTS"

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

// TestFaults makes every OpenCL call fail, one after the other, and looks at what
// the callers of this package then see.
func TestFaults(t *testing.T) {
	cmd, shared := layerCommand(t, "TestFaultSweep")
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	switch {
	case err != nil && shared.trying[0] != 0:
		t.Errorf("%v; the last was %s=%s, of which %q failed", err, pickEnv, text(shared.trying[:]), text(shared.name[:]))
	case err != nil:
		t.Error(err)
	case !bytes.Contains(out, []byte("\nfaults: ")):
		testenv.Lacking(t, "an OpenCL device, and a loader that knows layers")
	}
}

// TestFaultSweep is what TestFaults runs.
func TestFaultSweep(t *testing.T) {
	s := newSweep(t, underLayer(t, 1))
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
		if s.seconds.Add(1) < 60 { // several times what a driver takes to compile where others compute too
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
// from some call on, that an error comes late, or what the scenario direct has too.
func (s *sweep) all(scenario string, mode int32, every bool) {
	first := map[string]bool{}
	stride := int32(1)
	switch {
	case every:
	case mode == failFrom:
		stride = 11
	case mode != fail:
		stride = 7
	case scenario != "open" && scenario != "direct":
		stride = 3 // most calls are those of the direct scenario
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
	c.reset()
	copy(c.trying[:], f.String())
	s.seconds.Store(0)

	err := scenarios[f.scenario](s, f)
	if err == nil {
		err = c.balance()
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
