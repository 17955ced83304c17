package driver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/kernel"
)

// fake is a device that computes nothing, and returns what err gives for each call, by
// the name of its method.
type fake struct {
	err    func(method string) error
	allocs int // less frees
}

func (d *fake) fails(method string) error {
	if d.err == nil {
		return nil
	}
	return d.err(method)
}

func (d *fake) Info() compute.Info { return compute.Info{Name: "fake"} }

func (d *fake) Alloc(n int, mask bool) (Memory, error) {
	if err := d.fails("Alloc"); err != nil {
		return nil, err
	}
	d.allocs++
	return new(int), nil
}

func (d *fake) Free(Memory) error {
	d.allocs--
	return d.fails("Free")
}

func (d *fake) View(Memory, int, int) (Memory, error) {
	if err := d.fails("View"); err != nil {
		return nil, err
	}
	d.allocs++
	return new(int), nil
}

func (d *fake) Write(Memory, []float32) error { return d.fails("Write") }

func (d *fake) Read(Memory, []float32) error { return d.fails("Read") }

func (d *fake) ReadMask(_ Memory, dst []uint64) error {
	for i := range dst {
		dst[i] = ^uint64(0)
	}
	return d.fails("ReadMask")
}

func (d *fake) Compile(*kernel.Kernel) (Code, error) { return nil, d.fails("Compile") }

func (d *fake) Launch(*Call) error { return d.fails("Launch") }

func (d *fake) MatMul(*MatMulCall) error { return d.fails("MatMul") }

func (d *fake) CompileReduce(*kernel.Kernel, compute.Reduction) (Code, error) {
	return nil, d.fails("CompileReduce")
}

func (d *fake) Reduce(*ReduceCall) error { return d.fails("Reduce") }

func (d *fake) Gather(_, _, _ Memory, _, _, _ int) error { return d.fails("Gather") }

func (d *fake) Peak() (float64, error) { return 1, d.fails("Peak") }

func (d *fake) Stream(context.Context, *HostCall) error { return d.fails("Stream") }

func (d *fake) Sync() error { return d.fails("Sync") }

func (d *fake) Close() error { return d.fails("Close") }

func (d *fake) Trim() error { return d.fails("Trim") }

func (d *fake) Profile(work func() error) ([]float64, error) {
	if err := work(); err != nil {
		return nil, err
	}
	return []float64{1}, d.fails("Profile")
}

// failing returns what makes a method of a fake fail with an error.
func failing(method string, err error) func(string) error {
	return func(called string) error {
		if called == method {
			return err
		}
		return nil
	}
}

var errOnFire = fmt.Errorf("it is on fire: %w", compute.ErrDevice)

// operandsOf returns a buffer and a mask of n elements.
func operandsOf(t *testing.T, b *Backend, n int) (compute.Buffer, compute.Mask) {
	t.Helper()
	x, err := b.Upload(make([]float32, n))
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.AllocMask(n)
	if err != nil {
		t.Fatal(err)
	}
	return x, m
}

// calls are all calls on a backend with x and m, of at least one element.
func calls(b *Backend, x compute.Buffer, m compute.Mask) map[string]func() error {
	f := compute.LeakyReLU(0.5)
	y, _ := b.Alloc(x.Len())
	z, _ := b.Alloc(1)
	prepared, prepareErr := b.Prepare(axpy, x, x, x, compute.F32(2))
	all := map[string]func() error{
		"Alloc":     func() error { _, err := b.Alloc(1); return err },
		"Upload":    func() error { _, err := b.Upload([]float32{1}); return err },
		"AllocMask": func() error { _, err := b.AllocMask(1); return err },
		"Write":     func() error { return x.Write(make([]float32, x.Len())) },
		"Read":      func() error { return x.Read(make([]float32, x.Len())) },
		"ReadMask":  func() error { return m.Read(make([]uint64, form.MaskWords(m.Len()))) },
		"Copy":      func() error { return b.Copy(x, x) },
		"Sync":      b.Sync,
		"Stream": func() error {
			return b.Stream(context.Background(), compute.OpForward, f, make([]float32, 1), make([]float32, 1))
		},
		"Run": func() error { return b.Run(axpy, x, x, x, compute.F32(2)) },
		"RunSlices": func() error {
			v := compute.Slice{1, -2}
			return b.RunSlices(context.Background(), axpy, v, v, v, compute.F32(2))
		},
		"Prepared": func() error { return prepareErr },
		"View":     func() error { _, err := x.View(0, 1); return err },
		"WriteAt":  func() error { return x.WriteAt([]float32{1}, 1) },
		"ReadAt":   func() error { return x.ReadAt([]float32{1}, 1) },
		"Fill":     func() error { return b.Fill(x, 1) },
		"Gather":   func() error { return b.Gather(y, x, z) },
		"Reduce":   func() error { return b.Reduce(z, compute.Sum, compute.All(), nil, x) },
		"MatMul":   func() error { return b.MatMul(y, x, x.Len(), 1, z, 1) },
		"Peak":     func() error { _, err := b.Peak(); return err },
		"Profile":  func() error { _, err := b.Profile(func() error { return nil }); return err },
	}
	if prepareErr == nil {
		all["Prepared"] = prepared.Run
	}
	for _, fm := range form.All() {
		if fm.InOne() {
			all[fm.String()] = func() error { return fm.Run(b, f, form.Over(x, m)) }
		}
	}
	return all
}

// TestFault: after the first fault, of whichever method, all calls return it, but Release
// and Close.
func TestFault(t *testing.T) {
	for _, method := range []string{"Alloc", "Write", "Read", "ReadMask", "Launch", "View", "MatMul", "Reduce", "Gather", "Stream", "Sync", "Trim", "Profile", "Peak"} {
		d := &fake{}
		b := New(d)
		x, m := operandsOf(t, b, 2)
		all := calls(b, x, m)
		d.err = failing(method, errOnFire)
		if method == "Trim" {
			b.Trim()
		}
		for _, call := range all {
			call()
		}
		for name, call := range all {
			if err := call(); !errors.Is(err, compute.ErrDevice) || !strings.Contains(err.Error(), "on fire") || !strings.Contains(err.Error(), "on fake") {
				t.Errorf("%s after a fault of %s: %v; want ErrDevice with what happened", name, method, err)
			}
		}
		d.err = failing("Close", errOnFire)
		if err := errors.Join(x.Release(), m.Release(), b.Close(), b.Close()); err != nil {
			t.Errorf("Release and Close after a fault that was reported: %v", err)
		}
		for name, call := range all {
			if err := call(); !errors.Is(err, compute.ErrClosed) {
				t.Errorf("%s after Close: %v", name, err)
			}
		}
		if d.allocs != 0 {
			t.Errorf("after a fault of %s, %d allocations are not freed", method, d.allocs)
		}
	}
}

// TestFaultAtClose: what only Close or Free shows is returned.
func TestFaultAtClose(t *testing.T) {
	for _, method := range []string{"Free", "Close"} {
		b := New(&fake{err: failing(method, errOnFire)})
		operandsOf(t, b, 2)
		if err := b.Close(); !errors.Is(err, compute.ErrDevice) {
			t.Errorf("%s fails, and Close returns %v", method, err)
		}
	}
}

// survivor is a device that computes Stream and RunSlices after a fault.
type survivor struct {
	fake
	fault error
}

func (d *survivor) Usable() error { return d.fault }

// TestSurvivor: the device says whether it can be used, but for Stream and RunSlices.
func TestSurvivor(t *testing.T) {
	d := &survivor{}
	b := New(d)
	x, m := operandsOf(t, b, 2)
	all := calls(b, x, m)
	d.fault = errOnFire
	for name, call := range all {
		if err := call(); errors.Is(err, compute.ErrDevice) != (name != "Stream" && name != "RunSlices") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestFaultMeanwhile: a call that waits for another, which finds a fault, returns it too.
func TestFaultMeanwhile(t *testing.T) {
	for _, name := range []string{"Copy", "Fill", "Gather", "Reduce", "MatMul", "Run", "Prepared", "forward"} {
		d := &blocking{entered: make(chan bool, 2), leave: make(chan bool)}
		b := New(d)
		x, m := operandsOf(t, b, 2)
		call := calls(b, x, m)[name]
		first, second := make(chan error), make(chan error)
		go func() { first <- b.Copy(x, x) }()
		<-d.entered
		go func() { second <- call() }()
		time.Sleep(10 * time.Millisecond) // so that it waits, or else it need not
		d.launchErr = errOnFire
		close(d.leave)
		if err := <-first; !errors.Is(err, compute.ErrDevice) {
			t.Errorf("the call that finds the fault: %v", err)
		}
		if err := <-second; !errors.Is(err, compute.ErrDevice) || len(d.entered) > 0 {
			t.Errorf("%s, which waited for it: %v, and it was launched %d times", name, err, len(d.entered))
		}
	}
}

// TestFaultOfTrim: the next call, or Close, returns a fault that Trim has found.
func TestFaultOfTrim(t *testing.T) {
	for _, called := range []bool{false, true} {
		b := New(&fake{err: failing("Trim", errOnFire)})
		b.Trim()
		b.Trim()
		if called {
			if err := b.Sync(); !errors.Is(err, compute.ErrDevice) {
				t.Errorf("Sync: %v", err)
			}
		}
		if err := b.Close(); errors.Is(err, compute.ErrDevice) == called {
			t.Errorf("Close, where Sync was called: %v: %v", called, err)
		}
	}
}

// TestSizes: errors name sizes in the unit of the operand.
func TestSizes(t *testing.T) {
	d := &fake{}
	b := New(d)
	x, m := operandsOf(t, b, 64)
	all := calls(b, x, m)
	const live = ", with 524 bytes in 4 live buffers: out of memory; release some, "
	const remedy, noStream = live + "work in parts, or use Stream", live + "or work in parts"
	for _, test := range []struct{ method, call, want string }{
		{"Alloc", "Alloc", "alloc on fake: 1 elements, 4 bytes" + remedy},
		{"Launch", "Copy", "copy on fake: 64 elements" + noStream},
		{"Reduce", "Reduce", "sum on fake: 64 elements" + noStream},
		{"MatMul", "MatMul", "matmul on fake: 64 by 1 by 1 elements" + noStream},
		{"Stream", "Stream", "stream on fake: 1 elements: out of memory"},
		{"Stream", "RunSlices", "run slices axpy on fake: 2 elements: out of memory"},
		{"Launch", "Run", "run axpy on fake: 64 elements" + strings.Replace(remedy, "Stream", "RunSlices", 1)},
		{"Launch", "Prepared", "run axpy on fake: 64 elements" + strings.Replace(remedy, "Stream", "RunSlices", 1)},
		{"Sync", "Sync", "sync on fake: out of memory"},
	} {
		d.err = failing(test.method, compute.ErrOutOfMemory)
		if err := all[test.call](); err == nil || err.Error() != "compute: "+test.want {
			t.Errorf("got %v\nwant %s", err, test.want)
		}
	}
	d.err = failing("ReadMask", errOnFire)
	if err := all["ReadMask"](); err == nil || err.Error() != "compute: read on fake: 64 bits, 8 bytes: it is on fire: device fault" {
		t.Errorf("%v", err)
	}
}

// TestOutOfMemory: the error has the sizes, and the backend stays usable.
func TestOutOfMemory(t *testing.T) {
	d := &fake{err: failing("Alloc", fmt.Errorf("full: %w", compute.ErrOutOfMemory))}
	b := New(d)
	_, err := b.Alloc(1000)
	if !errors.Is(err, compute.ErrOutOfMemory) || !strings.Contains(err.Error(), "4000 bytes") {
		t.Errorf("got %v, want ErrOutOfMemory with the size", err)
	}
	d.err = failing("Write", compute.ErrOutOfMemory)
	if _, err := b.Upload(make([]float32, 3)); !errors.Is(err, compute.ErrOutOfMemory) {
		t.Errorf("Upload: %v", err)
	}
	if d.allocs != 0 || b.Info().LiveBuffers != 0 {
		t.Errorf("%d allocations and %d buffers are left of an Upload that failed", d.allocs, b.Info().LiveBuffers)
	}
	if err := b.Sync(); err != nil {
		t.Errorf("after running out of memory: %v", err)
	}
}

// TestCounts: live buffers and their bytes, which Close releases.
func TestCounts(t *testing.T) {
	d := &fake{}
	b := New(d)
	x, m := operandsOf(t, b, 65)
	if info := b.Info(); info.LiveBuffers != 2 || info.LiveBytes != 4*65+16 {
		t.Errorf("a buffer and a mask of 65: %+v", info)
	}
	m.Release()
	m.Release()
	if info := b.Info(); info.LiveBuffers != 1 || info.LiveBytes != 4*65 {
		t.Errorf("the buffer alone: %+v", info)
	}
	b.Close()
	x.Release()
	if info := b.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 || d.allocs != 0 {
		t.Errorf("after Close: %+v, %d allocations", info, d.allocs)
	}
}

// TestMaskEnd: bits behind the last are 0, whatever the device has there.
func TestMaskEnd(t *testing.T) {
	b := New(&fake{})
	_, m := operandsOf(t, b, 70)
	got := make([]uint64, 2)
	if err := m.Read(got); err != nil || got[0] != ^uint64(0) || got[1] != 1<<6-1 {
		t.Errorf("%x, %v", got, err)
	}
}

// blocking is a device whose Launch and Stream wait until they are let go.
type blocking struct {
	fake
	entered, leave chan bool
	launchErr      error
	closed         bool
}

func (d *blocking) Launch(*Call) error {
	d.entered <- true
	<-d.leave
	return d.launchErr
}

func (d *blocking) MatMul(*MatMulCall) error { return d.Launch(nil) }

func (d *blocking) Reduce(*ReduceCall) error { return d.Launch(nil) }

func (d *blocking) Gather(_, _, _ Memory, _, _, _ int) error { return d.Launch(nil) }

func (d *blocking) Stream(context.Context, *HostCall) error { return d.Launch(nil) }

func (d *blocking) Close() error {
	d.closed = true
	return nil
}

// TestCloseWaits: Close closes the device when the calls under way are done.
func TestCloseWaits(t *testing.T) {
	for _, name := range []string{"Stream", "Copy", "Fill", "Gather", "Reduce", "MatMul", "Run", "Prepared", "RunSlices"} {
		d := &blocking{entered: make(chan bool), leave: make(chan bool)}
		b := New(d)
		x, m := operandsOf(t, b, 2)
		called, closed := make(chan error), make(chan error)
		go func() { called <- calls(b, x, m)[name]() }()
		<-d.entered
		go func() { closed <- b.Close() }()
		select {
		case <-closed:
			t.Errorf("Close did not wait for %s", name)
		case <-time.After(10 * time.Millisecond):
		}
		for !b.closed.Load() {
			time.Sleep(time.Millisecond)
		}
		if err := b.Sync(); !errors.Is(err, compute.ErrClosed) { // at once
			t.Errorf("Sync during Close: %v", err)
		}
		if d.closed {
			t.Errorf("the device was closed during %s", name)
		}
		d.leave <- true
		if err := errors.Join(<-called, <-closed); err != nil {
			t.Error(err)
		}
	}
}

// entering is a device whose Alloc tells when it begins, and waits until it is let go.
type entering struct {
	fake
	entered, leave chan bool
}

func (d *entering) Alloc(n int, mask bool) (Memory, error) {
	d.entered <- true
	<-d.leave
	return d.fake.Alloc(n, mask)
}

// TestAllocDuringClose: what is allocated while the backend is closed is freed.
func TestAllocDuringClose(t *testing.T) {
	d := &entering{entered: make(chan bool), leave: make(chan bool)}
	b := New(d)
	failed, closed := make(chan error), make(chan error)
	go func() { _, err := b.Alloc(1); failed <- err }()
	<-d.entered
	go func() { closed <- b.Close() }()
	for !b.closed.Load() {
		time.Sleep(time.Millisecond)
	}
	d.leave <- true
	if err := <-failed; !errors.Is(err, compute.ErrClosed) {
		t.Errorf("Alloc while the backend is closed: %v", err)
	}
	if err := <-closed; err != nil || d.allocs != 0 {
		t.Errorf("Close: %v, and %d allocations are not freed", err, d.allocs)
	}
}

// TestLocks: calls that share no buffer run at the same time, and those that share one do
// not, whatever the order of their operands.
func TestLocks(t *testing.T) {
	d := &blocking{entered: make(chan bool, 8), leave: make(chan bool)}
	b := New(d)
	x, _ := operandsOf(t, b, 2)
	y, _ := operandsOf(t, b, 2)
	z, _ := operandsOf(t, b, 2)
	done := make(chan error, 3)
	go func() { done <- b.Copy(x, y) }()
	<-d.entered
	go func() { done <- b.Copy(z, z) }()
	<-d.entered // while the first is under way
	go func() { done <- b.Copy(y, x) }()
	select {
	case <-d.entered:
		t.Error("two calls on the same buffers run at the same time")
	case <-time.After(10 * time.Millisecond):
	}
	for range 3 {
		d.leave <- true
	}
	for range 3 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

// TestLockOrder: operands in any order, and repeated, are locked once each, by id.
func TestLockOrder(t *testing.T) {
	b := New(&fake{})
	var x [3]*buffer
	for i := range x {
		buf, _ := operandsOf(t, b, 2)
		x[i] = buf.(*buffer)
	}
	for i := range 27 {
		all := []*memory{&x[i%3].memory, &x[i/3%3].memory, &x[i/9].memory}
		sorted := byID(make([]*store, len(all)), all)
		lockAll(sorted) // which hangs if it locks one twice
		if !slices.IsSortedFunc(sorted, func(a, b *store) int { return cmp.Compare(a.id, b.id) }) {
			t.Errorf("operands %d, %d, %d are not locked in order", i%3, i/3%3, i/9)
		}
		for _, m := range all {
			if m.mu.TryLock() {
				t.Errorf("operands %d, %d, %d: one is not locked", i%3, i/3%3, i/9)
			}
		}
		unlockAll(sorted)
		for _, buf := range x {
			if !buf.mu.TryLock() {
				t.Fatalf("operands %d, %d, %d: one stays locked", i%3, i/3%3, i/9)
			}
			buf.mu.Unlock()
		}
	}
}

// TestAllocates: a call on buffers allocates nothing.
func TestAllocates(t *testing.T) {
	b := New(&fake{})
	x, m := operandsOf(t, b, 2)
	f := compute.LeakyReLU(0.5)
	for _, fm := range form.All() {
		if !fm.InOne() {
			continue
		}
		if got := testing.AllocsPerRun(100, func() { fm.Run(b, f, form.Over(x, m)) }); got != 0 {
			t.Errorf("%v allocates %v times", fm, got)
		}
	}
}

// TestProfile: the error is that of the work, but for a fault of the device.
func TestProfile(t *testing.T) {
	d := &fake{}
	b := New(d)
	half := errors.New("half done")
	if ns, err := b.Profile(func() error { return nil }); err != nil || len(ns) != 1 {
		t.Errorf("%v, %v", ns, err)
	}
	if _, err := b.Profile(func() error { return half }); err != half {
		t.Errorf("%v, want that of the work", err)
	}
	if _, err := New(&blocking{}).Profile(func() error { return half }); err != half {
		t.Errorf("%v, want that of the work", err)
	}
}
