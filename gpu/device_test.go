//go:build opencl && cgo

package gpu

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
	"github.com/gmind-go/compute/kernels"
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

// TestConformance runs the suite in all ways that data takes to a device, whatever
// the one at hand is like, and with the kernels in all shapes that other devices get.
func TestConformance(t *testing.T) {
	testenv.Open(t, OpenDevice("any"))
	for name, o := range map[string]Options{
		"staged":       {Device: "any", Staged: true},
		"little":       {Device: "any", StreamMemory: 64 << 10},
		"staged least": {Device: "any", Staged: true, StreamMemory: minStreamMemory},
	} {
		t.Run(name, func(t *testing.T) { backendtest.Run(t, o.Open) })
	}
	distinct := map[shape]bool{}
	for _, s := range shapes {
		distinct[s] = true
	}
	devices, err := opencl.Devices()
	if err == nil && len(devices) == 1 {
		delete(distinct, shapeFor(devices[0])) // as other tests run the suite
	}
	for s := range distinct {
		t.Run(fmt.Sprintf("%+v", s), func(t *testing.T) {
			backendtest.Run(t, func() (compute.Backend, error) {
				devices, problem := listWith(Options{StreamMemory: defaultStreamMemory}, func(*opencl.Device) program {
					return program{kernels.Source, s}
				})
				return openFirst(takeMatching("any", devices, problem))
			})
		})
	}
}

// TestPool: released memory is used again, counted, bounded, and given back.
func TestPool(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	first, err := b.Upload(values.Normal(1000, 1))
	if err != nil {
		t.Fatal(err)
	}
	compute.Trim(b)
	first.Release()
	if kept := b.Info().PooledBytes; kept != 4000 {
		t.Errorf("of a buffer of 4000 bytes %d are kept", kept)
	}
	second, err := b.Alloc(1000)
	if err != nil {
		t.Fatal(err)
	}
	if info := b.Info(); info.PooledBytes != 0 || info.LiveBytes != 4000 {
		t.Errorf("the memory was not used again: %+v", info)
	}
	second.Release()
	second.Release()
	compute.Trim(b)
	if kept := b.Info().PooledBytes; kept != 0 {
		t.Errorf("after Trim %d bytes are kept", kept)
	}
}

// TestTrimForMemory: what is kept is given back before a call fails for want of
// memory.
func TestTrimForMemory(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	d := inside(b)
	buf, err := b.Alloc(1000)
	if err != nil {
		t.Fatal(err)
	}
	buf.Release()
	calls := 0
	full := func() error {
		calls++
		return compute.ErrOutOfMemory
	}
	if err := d.withMemory(full); !errors.Is(err, compute.ErrOutOfMemory) || calls != 2 || b.Info().PooledBytes != 0 {
		t.Errorf("%v after %d calls, %d bytes are kept", err, calls, b.Info().PooledBytes)
	}
	if err := d.withMemory(full); !errors.Is(err, compute.ErrOutOfMemory) || calls != 3 {
		t.Errorf("%v after %d calls with nothing to give back, want one more", err, calls)
	}
}

// TestSmallGroup: kernels that take smaller work-groups than their device, which only a
// launch shows, are launched in smaller ones.
func TestSmallGroup(t *testing.T) {
	source := strings.ReplaceAll(kernels.Source, "kernel void", "__attribute__((reqd_work_group_size(16, 1, 1))) kernel void")
	b := testenv.Open(t, func() (compute.Backend, error) {
		devices, problem := listWith(Options{StreamMemory: defaultStreamMemory}, func(d *opencl.Device) program {
			return program{source, shapeFor(d)}
		})
		return openFirst(takeMatching("any", devices, problem))
	})
	d := inside(b)
	forward := d.codes.find(function.Kernel(1, function.Forward).Key)
	if got := d.kernels[forward].MaxGroup(); got != 16 {
		t.Errorf("after the self-test a kernel is launched in groups of %d, and takes 16 alone", got)
	}
}
