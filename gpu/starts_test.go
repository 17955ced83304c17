//go:build opencl && cgo

package gpu

import (
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestStarts: the device works on what was asked for though nobody waits. Some drivers
// keep commands until the queue is flushed; PoCL does not, so only a run on another, as
// by scripts/machines rusticl, can fail.
func TestStarts(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	d := inside(b)
	f := compute.LeakyReLU(-0.5)
	x, err := b.Upload(values.Normal(100_000, 1))
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.AllocMask(x.Len())
	if err != nil {
		t.Fatal(err)
	}
	front, _ := compute.As[*driver.Backend](b)
	calls := map[string]func() error{"copy": func() error { return front.Copy(x, x) }}
	for _, fm := range form.All() {
		if fm.InOne() {
			calls[fm.String()] = func() error { return fm.Run(b, f, form.Over(x, m)) }
		}
	}
	for name, call := range calls {
		if err := call(); err != nil {
			t.Fatal(err)
		}
		for asked := time.Now(); !idle(t, d); time.Sleep(time.Millisecond) {
			if time.Since(asked) > time.Minute { // far more than the work takes anywhere
				t.Fatalf("%s: the device has not begun, or not ended, a minute after the call", name)
			}
		}
	}
}

// idle reports whether the device has done all that d was asked for.
func idle(t *testing.T, d *device) bool {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	done, err := d.queue.Idle()
	if err != nil {
		t.Fatal(err)
	}
	return done
}
