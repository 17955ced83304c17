package backendtest_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/cpu"
)

// bugEnv is the test of the suite that must fail, in a process of its own.
const bugEnv = "BACKENDTEST_BUG"

// wrong is a backend with one bug, which the test of that name finds.
type wrong struct {
	compute.Backend
	bug string
}

func (b wrong) Info() compute.Info {
	info := b.Backend.Info()
	switch b.bug {
	case "Info":
		info.LiveBuffers = 0
	case "BadLength": // errors name another device
		info.Name = "nameless"
	}
	return info
}

func (b wrong) Forward(f compute.Activation, y, x compute.Buffer) error {
	switch b.bug {
	case "SpecialValues", "Lengths":
		f.NegativeSlope = -f.NegativeSlope
	case "InPlace":
		if y == x {
			b.Backend.Forward(f, y, x)
		}
	case "Nil":
		if x == nil {
			return nil
		}
	case "Concurrent":
		y.Write(make([]float32, y.Len()))
	}
	return b.Backend.Forward(f, y, x)
}

func (b wrong) ForwardMask(f compute.Activation, y compute.Buffer, m compute.Mask, x compute.Buffer) error {
	if b.bug == "MaskOrder" && y == x {
		b.Backend.Forward(f, y, x)
	}
	return b.Backend.ForwardMask(f, y, m, x)
}

func (b wrong) ForwardDerivative(f compute.Activation, y, d, x compute.Buffer) error {
	if b.bug == "SameResult" && y == d {
		return nil
	}
	return b.Backend.ForwardDerivative(f, y, d, x)
}

func (b wrong) Stream(ctx context.Context, op compute.Op, f compute.Activation, dst, src []float32) error {
	switch b.bug {
	case "Stream":
		ctx = context.Background()
	case "HostSlices":
		op = compute.OpDerivative
	}
	return b.Backend.Stream(ctx, op, f, dst, src)
}

func (b wrong) Sync() error {
	if err := b.Backend.Sync(); b.bug != "Closed" {
		return err
	}
	return nil
}

// TestSuite: Run passes a right backend, and finds bugs.
func TestSuite(t *testing.T) {
	if bug := os.Getenv(bugEnv); bug != "" {
		backendtest.Run(t, func() (compute.Backend, error) {
			b, err := cpu.Open()
			return wrong{b, bug}, err
		})
		return
	}
	for _, bug := range []string{"none", "Info", "Lengths", "SpecialValues", "InPlace", "HostSlices", "MaskOrder", "SameResult", "Stream", "BadLength", "Nil", "Closed", "Concurrent"} {
		test := bug
		if bug == "none" {
			test = ".*"
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.short", "-test.run=^TestSuite$/^"+test+"$")
		cmd.Env = append(os.Environ(), bugEnv+"="+bug)
		out, err := cmd.CombinedOutput()
		var failed *exec.ExitError
		if err != nil && !errors.As(err, &failed) {
			t.Fatal(err)
		}
		if bug == "none" && err != nil {
			t.Errorf("a right backend fails:\n%s", out)
		}
		if bug != "none" && !strings.Contains(string(out), "--- FAIL: TestSuite/"+bug+" ") {
			t.Errorf("test %s does not find its bug:\n%s", bug, out)
		}
	}
}
