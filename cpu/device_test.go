package cpu

import (
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/backendtest"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/exhaustive"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/function"
	program "github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/values"
)

// TestConformance runs the suite on every instruction set that this processor has, with the
// stores that calls choose, and with non-temporal stores alone.
func TestConformance(t *testing.T) {
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			backendtest.Run(t, func() (compute.Backend, error) { return Options{}.open(set), nil })
		})
		if set.nonTemporal == nil {
			continue
		}
		t.Run(set.name+"-nontemporal", func(t *testing.T) {
			backendtest.Run(t, func() (compute.Backend, error) {
				d := Options{}.device(set)
				d.cache = 0
				return driver.New(d), nil
			})
		})
	}
}

// TestCloseWaitsForStream: after Close, Stream does not access its slices. The race detector
// checks it, with kernels in Go.
func TestCloseWaitsForStream(t *testing.T) {
	v := make([]float32, 6<<20) // Stream is in its first part at Close, mostly
	for range 5 {
		b := Options{}.open(generic)
		streaming := make(chan struct{})
		go func() {
			close(streaming)
			b.Stream(context.Background(), compute.OpDerivative, compute.LeakyReLU(0.5), v, v)
		}()
		<-streaming
		time.Sleep(time.Millisecond)
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		clear(v)
	}
}

// late is a context whose deadline passes after some calls of Deadline, and whose timer
// never fires, as if all cores were busy.
type late struct {
	context.Context
	calls int
}

func (c *late) Deadline() (time.Time, bool) {
	if c.calls--; c.calls >= 0 {
		return time.Now().Add(time.Hour), true
	}
	return time.Unix(0, 0), true
}

// TestDeadline: Stream checks the deadline between two parts.
func TestDeadline(t *testing.T) {
	d := Options{}.device(instructionSets()[0])
	defer d.Close()
	c := &driver.HostCall{Kernel: function.Kernel(int(compute.KindLeakyReLU), function.Forward), Code: codeOf(d.set, form.Forward), Params: slope(0.5)}
	n := d.streamPart(c.Code.(*code), c.Params, math.MaxInt)
	c.N = 3 * n
	xs, got := values.Normal(c.N, 1), make([]float32, c.N)
	for _, host := range [][]float32{got, xs} {
		c.Operands = append(c.Operands, program.Operand[driver.Host]{Memory: driver.Host{Floats: host}, Len: c.N})
	}
	if err := d.Stream(&late{context.Background(), 2}, c); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want context.DeadlineExceeded", err)
	}
	// Stream calls Deadline before each part.
	for i, done := range []bool{true, true, false} {
		if part := got[i*n:][:n]; slices.ContainsFunc(part, func(y float32) bool { return y != 0 }) != done {
			t.Errorf("part %d is done: %v, want %v", i, !done, done)
		}
	}
}

// TestSynctest: a clock that stands still blocks no call.
func TestSynctest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
		b, err := Open()
		if err != nil {
			t.Fatal(err)
		}
		defer b.Close()
		v := values.Normal(1<<20, 1)
		if err := b.Stream(t.Context(), compute.OpForward, compute.LeakyReLU(0.5), v, v); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Second)
	})
}

// TestNoAllocation: calls on buffers allocate nothing, on one core or several.
func TestNoAllocation(t *testing.T) {
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	f := compute.LeakyReLU(0.01)
	for _, n := range []int{16, 1 << 10, 64 << 10, 1 << 20} {
		x, y := mustUpload(t, b, values.Normal(n, 1)), mustUpload(t, b, values.Normal(n, 2))
		host, words := make([]float32, n), make([]uint64, form.MaskWords(n))
		m, err := b.AllocMask(n)
		if err != nil {
			t.Fatal(err)
		}
		calls := map[string]func() error{
			"read":           func() error { return y.Read(host) },
			"write":          func() error { return y.Write(host) },
			"read of a mask": func() error { return m.Read(words) },
		}
		args := form.Args{X: x, DY: y, Y: y, D: x, DX: y, M: m}
		for _, fm := range form.All() {
			calls[fm.String()] = func() error { return fm.Run(b, f, args) }
		}
		for name, call := range calls {
			// testing.AllocsPerRun would run on one core.
			const runs = 50
			var before, after runtime.MemStats
			for i := range 2 * runs {
				if i == runs { // the first ones start workers and fill pools
					runtime.ReadMemStats(&before)
				}
				if err := call(); err != nil {
					t.Fatal(err)
				}
			}
			runtime.ReadMemStats(&after)
			allocs := (after.Mallocs - before.Mallocs) / runs // others allocate now and then
			if allocs != 0 {
				t.Errorf("%s of %d elements allocates %v times", name, n, allocs)
			}
		}
		x.Release()
		y.Release()
		m.Release()
	}
}

// TestHuge: more elements than 31 bits count, in place: all operations but the one
// that needs a second buffer, and Stream.
func TestHuge(t *testing.T) {
	n := exhaustive.Huge(t)
	b, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	x, err := b.Alloc(n)
	if err != nil {
		t.Fatal(err)
	}
	m, err := b.AllocMask(n)
	if err != nil {
		t.Fatal(err)
	}
	f := compute.LeakyReLU(-0.5)
	data := driver.MemoryOf(x).(*memory).elements // used in place while nothing else is at work
	try := func(name string, o form.Operand, run func() error) {
		exhaustive.Fill(data)
		if err := run(); err != nil {
			t.Fatal(err)
		}
		exhaustive.Check(t, b.Info().Name+": "+name, data, func(x float32) float32 { return o.Want(f, x, x) })
	}
	for _, fm := range form.All() {
		if fm.InOne() {
			try(fm.String(), fm.Results()[0], func() error { return fm.Run(b, f, form.Over(x, m)) })
		}
	}
	try("stream of forward", form.Y, func() error { return b.Stream(t.Context(), compute.OpForward, f, data, data) })
	words := make([]uint64, form.MaskWords(n))
	if err := m.Read(words); err != nil {
		t.Fatal(err)
	}
	exhaustive.CheckSigns(t, words, n)
}
