//go:build !opencl || !cgo

package gpu

import (
	"errors"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
)

// TestBuiltWithout: every way in says how to get OpenCL, and falls back.
func TestBuiltWithout(t *testing.T) {
	_, devicesErr := Devices()
	_, openErr := Open()
	_, matchErr := OpenDevice("any")()
	_, allErr := OpenAll()
	_, allMatchErr := Options{Device: "any"}.OpenAll()
	for _, err := range []error{devicesErr, openErr, matchErr, allErr, allMatchErr} {
		if !errors.Is(err, compute.ErrUnavailable) || !strings.Contains(err.Error(), "built without OpenCL (rebuild with -tags opencl and CGO_ENABLED=1)") {
			t.Errorf("got %v, want ErrUnavailable that tells how to build", err)
		}
	}
	b, err := compute.Open(Open, cpu.Open)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if info := b.Info(); info.Backend != "cpu" || !strings.Contains(info.Skipped.Error(), "built without OpenCL") {
		t.Errorf("fell back to %s, Skipped %v", info.Name, info.Skipped)
	}
}
