package testenv_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/testenv"
)

// TestLacking: a test without a device is skipped, or fails if it is required. Other errors
// fail it.
func TestLacking(t *testing.T) {
	for _, test := range []struct {
		required      string
		err           error
		skips, passes bool
	}{
		{"", compute.ErrUnavailable, true, false},
		{"1", compute.ErrUnavailable, false, false},
		{"", fmt.Errorf("%w: %w", compute.ErrUnavailable, compute.ErrDevice), false, false},
		{"", compute.ErrOutOfMemory, false, false},
		{"1", nil, false, true},
	} {
		t.Setenv("REQUIRE_OPENCL", test.required)
		r := &recorder{TB: t}
		done := make(chan bool)
		passes := false
		go func() {
			defer close(done)
			testenv.Open(r, func() (compute.Backend, error) { return nothing{}, test.err })
			passes = true
		}()
		<-done
		if r.skipped != test.skips || passes != test.passes || r.failed == (test.skips || test.passes) {
			t.Errorf("REQUIRE_OPENCL=%s, error %v: skipped %v, failed %v, passed %v", test.required, test.err, r.skipped, r.failed, passes)
		}
	}
}

// nothing is a backend that can be closed.
type nothing struct{ compute.Backend }

func (nothing) Close() error { return nil }

// recorder records how a test ends.
type recorder struct {
	testing.TB
	skipped, failed bool
}

func (r *recorder) Skip(...any)  { r.skipped = true; runtime.Goexit() }
func (r *recorder) Fatal(...any) { r.failed = true; runtime.Goexit() }
