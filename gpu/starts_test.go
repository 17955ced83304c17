//go:build opencl && cgo

package gpu

import (
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestStarts: the device works on what was asked for though nobody waits. Some drivers
// keep commands until the queue is flushed; PoCL does not, so only a run on another, as
// by scripts/machines rusticl, can fail.
func TestStarts(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any")).(*opened).Backend.(*backend)
	f := compute.LeakyReLU(-0.5)
	x, err := b.Upload(values.Normal(100_000, 1))
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.AllocMask(x.Len())
	if err != nil {
		t.Fatal(err)
	}
	calls := map[string]func() error{"copy": func() error { return b.Copy(x, x) }}
	for _, fm := range form.All() {
		if fm.InOne() {
			calls[fm.String()] = func() error { return fm.Run(b, f, form.Over(x, m)) }
		}
	}
	for name, call := range calls {
		if err := call(); err != nil {
			t.Fatal(err)
		}
		for asked := time.Now(); !idle(t, b); time.Sleep(time.Millisecond) {
			if time.Since(asked) > time.Minute { // far more than the work takes anywhere
				t.Fatalf("%s: the device has not begun, or not ended, a minute after the call", name)
			}
		}
	}
}

// idle reports whether the device has done all that b asked for.
func idle(t *testing.T, b *backend) bool {
	t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	done, err := b.queue.Idle()
	if err != nil {
		t.Fatal(err)
	}
	return done
}
