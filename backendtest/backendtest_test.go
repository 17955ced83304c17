package backendtest_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/internal/wrong"
)

// bugEnv names the bug of the backend in a process of TestSuite.
const bugEnv = "BACKENDTEST_BUG"

// finds has the subtest of Run that finds a bug. None looks for "Stream that continues".
var finds = map[string]string{
	"Alloc": "BadLength", "AllocMask": "Lengths", "Upload": "Info", "Forward": "SpecialValues", "Derivative": "InPlace", "Backward": "Lengths",
	"ForwardDerivative": "SameResult", "ForwardMask": "MaskOrder", "BackwardMask": "SpecialValues", "Stream without its context": "Stream",
	"Stream of too much": "Stream", "Sync": "Closed", "Close": "Closed", "Close with an error": "ReleaseWhileUsed",
	"Run with a shifted row": "Rows", "Run of one result after the other": "ProgramsInPlace", "Run with an earlier scalar": "Programs",
	"Run without an error": "BadProgram", "Prepare without Set": "Prepared",
	"RunSlices without its context": "RunSlices", "RunSlices from another element": "RandomNumbers", "RunSlices of too many bits": "Programs",
	"Copy of what overlaps": "Views", "Fill": "Views", "Gather": "Gather", "Reduce to a sum for a mean": "Reduce", "Reduce in another order": "Reduce",
	"MatMul in other blocks": "MatMul",
}

// TestSuite: Run passes a right backend, and finds bugs.
func TestSuite(t *testing.T) {
	if bug, ok := os.LookupEnv(bugEnv); ok {
		backendtest.Run(t, func() (compute.Backend, error) {
			b, err := cpu.Open()
			return wrong.Backend{Backend: b, Bug: bug}, err
		})
		return
	}
	run := func(bug, test string) (out string, passed bool) {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.short", "-test.run=^TestSuite$/^"+test+"$")
		cmd.Env = append(os.Environ(), bugEnv+"="+bug)
		text, err := cmd.CombinedOutput()
		if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
			t.Fatal(err)
		}
		return string(text), err == nil
	}
	if out, passed := run("", ".*"); !passed {
		t.Errorf("a right backend fails:\n%s", out)
	}
	for bug, test := range finds {
		if out, _ := run(bug, test); !strings.Contains(out, "--- FAIL: TestSuite/"+test+" ") {
			t.Errorf("%s does not find the bug %q:\n%s", test, bug, out)
		}
	}
}
