package backendtest

import (
	"context"
	"math"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// lengths returns all short lengths, and those around the sizes at which backends switch to
// other code: vectors, work-groups, pages, shares of a core, parts of a stream.
func lengths() []int {
	var ns []int
	for n := range 131 {
		ns = append(ns, n)
	}
	for _, n := range []int{256, 1 << 10, 4 << 10, 8 << 10, 16 << 10, 32 << 10, 64 << 10, 256 << 10, 1 << 20} {
		if !testing.Short() || n <= 64<<10 {
			ns = append(ns, n-1, n, n+1)
		}
	}
	return ns
}

// mixed returns n elements: special values at both ends, and random bits between them.
func mixed(n int, seed uint64) []float32 {
	v := values.Bits(n, seed)
	special := values.Special()
	copy(v, special[int(seed)%len(special):])
	for i := range min(n/2, len(special)) {
		v[n-1-i] = special[i]
	}
	return v
}

func testInfo(t *testing.T, b compute.Backend) {
	info := b.Info()
	if info.Name == "" || info.Backend == "" || info.Kind == "" {
		t.Errorf("Info lacks a name, backend or kind: %+v", info)
	}
	x, y := upload(t, b, make([]float32, 10)), alloc(t, b, 1000)
	if info := b.Info(); info.LiveBuffers != 2 || info.LiveBytes != 4040 {
		t.Errorf("with 2 buffers of 4040 bytes Info counts %d of %d bytes", info.LiveBuffers, info.LiveBytes)
	}
	release(t, x, y, x, y) // the second Release does nothing
	if info := b.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 {
		t.Errorf("with all buffers released Info counts %d of %d bytes", info.LiveBuffers, info.LiveBytes)
	}
}

// testLengths runs every form in every place, with every length.
func testLengths(t *testing.T, b compute.Backend) {
	functions := form.Activations()
	for i, n := range lengths() {
		xs, dys := mixed(n, uint64(i)), mixed(n, uint64(i+1))
		args := newArgs(t, b, dys, xs)
		f := functions[i%len(functions)]
		right := form.NewReference(f, dys, xs)
		for _, fm := range form.AllOf(f) {
			for _, place := range fm.Places() {
				runWith(t, b, fm, f, place, args, dys, xs, right)
			}
		}
		same(t, "x, an input", read(t, args.X), xs)
		same(t, "dy, an input", read(t, args.DY), dys)
		releaseArgs(t, args)
	}
}

func testSpecialValues(t *testing.T, b compute.Backend) {
	// Every special value as x, each with every special value as dy.
	special := values.Special()
	var xs, dys []float32
	for _, x := range special {
		for _, dy := range special {
			xs, dys = append(xs, x), append(dys, dy)
		}
	}
	args := newArgs(t, b, dys, xs)
	defer releaseArgs(t, args)
	functions := form.Activations()
	for _, slope := range []float32{math.MaxFloat32, math.SmallestNonzeroFloat32, float32(math.Copysign(0, -1))} {
		functions = append(functions, compute.LeakyReLU(slope))
	}
	for _, f := range functions {
		right := form.NewReference(f, dys, xs)
		for _, fm := range form.AllOf(f) {
			runWith(t, b, fm, f, form.Place{}, args, dys, xs, right)
		}
	}
}

// testInPlace uses one buffer for all operands.
func testInPlace(t *testing.T, b compute.Backend) {
	f := compute.LeakyReLU(0.5) // f(f(x)) is not f(x)
	for _, n := range []int{1, 3, 17, 130, 5001, 100003} {
		xs := mixed(n, 1)
		x, m := upload(t, b, xs), allocMask(t, b, n)
		for _, fm := range form.All() {
			if !fm.InOne() {
				continue
			}
			write(t, x, xs)
			if err := fm.Run(b, f, form.Over(x, m)); err != nil {
				t.Fatalf("%v of %d elements with one buffer for all: %v", fm, n, err)
			}
			compare(t, b, fm, fm.Results()[0], f, read(t, x), xs, xs)
		}
		release(t, x, m)
	}
}

// testOrder makes calls that depend on one another, without waiting between them.
func testOrder(t *testing.T, b compute.Backend) {
	const n = 10007
	f, twice := compute.LeakyReLU(-0.5), compute.LeakyReLU(2)
	xs := values.Normal(n, 3)
	x, y, d := upload(t, b, xs), alloc(t, b, n), alloc(t, b, n)
	defer release(t, x, y, d)
	for _, err := range []error{
		b.Forward(f, y, x),
		b.Forward(twice, y, y),
		b.Derivative(f, d, x),
		x.Write(make([]float32, n)), // the calls above do not see it
		b.Backward(twice, d, d, x),  // x is 0, so d does not change
		b.Sync(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	ys, ds := read(t, y), read(t, d)
	for i, x := range xs {
		if want := twice.Value(f.Value(x)); !values.Same(ys[i], want) {
			t.Fatalf("y[%d] is %v and should be %v", i, ys[i], want)
		}
		if want := f.Derivative(x); !values.Same(ds[i], want) {
			t.Fatalf("d[%d] is %v and should be %v", i, ds[i], want)
		}
	}
}

// hostGlobal is a variable with elements and a pointer.
var hostGlobal struct {
	elements [33]float32
	pointer  *int
}

// testHostSlices copies from and to slices in all kinds of memory.
func testHostSlices(t *testing.T, b compute.Backend) {
	type object struct {
		pointer  *int
		elements [33]float32
	}
	hostGlobal.pointer = new(int)
	inside := &object{pointer: new(int)}
	array := make([]float32, 99)
	places := map[string][]float32{
		"a slice of its own":             make([]float32, 33),
		"the middle of an array":         array[7:40],
		"an object with pointers":        inside.elements[:],
		"a global variable with pointer": hostGlobal.elements[:],
		"an odd part of an object":       inside.elements[1:32],
	}
	for where, host := range places {
		want := mixed(len(host), 5)
		copy(host, want)
		buf := upload(t, b, host)
		clear(host)
		wantError(t, "Read to "+where, buf.Read(host), nil)
		same(t, "Upload from and Read to "+where, host, want)
		clear(host)
		write(t, buf, host)
		same(t, "Write from "+where, read(t, buf), host)
		release(t, buf)

		f := compute.LeakyReLU(-0.5)
		copy(host, want)
		wantError(t, "Stream in "+where, b.Stream(context.Background(), compute.OpForward, f, host, host), nil)
		compare(t, b, form.Forward, form.Y, f, host, want, want)
		wantError(t, "Stream to "+where, b.Stream(context.Background(), compute.OpForward, f, host, want), nil)
		compare(t, b, form.Forward, form.Y, f, host, want, want)
	}
	runtime.KeepAlive(inside.pointer)
	for i, v := range array {
		if (i < 7 || i >= 40) && v != 0 {
			t.Errorf("element %d, outside of dst, was written", i)
		}
	}
}

func same(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i := range want {
		if !values.Identical(got[i], want[i]) {
			t.Fatalf("%s: element %d of %d is %x and should be %x", what, i, len(want), got[i], want[i])
		}
	}
}

// past is a context with a deadline in the past, and a timer that has not fired yet.
type past struct{ context.Context }

func (past) Deadline() (time.Time, bool) { return time.Unix(0, 0), true }

func testStream(t *testing.T, b compute.Backend) {
	ctx := context.Background()
	functions := form.Activations()
	for i, n := range []int{0, 1, 5, 130, 65537, 1<<20 + 1, 4<<20 + 3} {
		if testing.Short() && n > 1<<20 {
			break
		}
		f := functions[i%len(functions)]
		xs := mixed(n, uint64(i))
		for _, fm := range form.All() {
			op, ok := fm.Op()
			if !ok {
				continue
			}
			host := make([]float32, n+2) // with a guard at both ends of dst
			host[0], host[n+1] = 7, 7
			dst := host[1 : n+1]
			if err := b.Stream(ctx, op, f, dst, xs); err != nil {
				t.Fatalf("Stream of %d elements: %v", n, err)
			}
			compare(t, b, fm, fm.Results()[0], f, dst, xs, xs)
			if host[0] != 7 || host[n+1] != 7 {
				t.Fatalf("Stream of %d elements wrote outside of dst", n)
			}
		}
		inPlace := slices.Clone(xs)
		if err := b.Stream(ctx, compute.OpForward, f, inPlace, inPlace); err != nil {
			t.Fatalf("Stream of %d elements in place: %v", n, err)
		}
		compare(t, b, form.Forward, form.Y, f, inPlace, xs, xs)
	}

	f := compute.LeakyReLU(0.01)
	v := make([]float32, 100)
	wantError(t, "Stream of different lengths", b.Stream(ctx, compute.OpForward, f, v[:3], v[50:54]), compute.ErrLength)
	wantError(t, "Stream with dst after src", b.Stream(ctx, compute.OpForward, f, v[1:51], v[:50]), compute.ErrOverlap)
	wantError(t, "Stream with dst before src", b.Stream(ctx, compute.OpForward, f, v[:50], v[49:99]), compute.ErrOverlap)
	wantError(t, "Stream between adjacent slices", b.Stream(ctx, compute.OpForward, f, v[:50], v[50:]), nil)
	wantError(t, "Stream of no operation", b.Stream(ctx, 99, f, v, v), compute.ErrActivation)
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	wantError(t, "Stream with a cancelled context", b.Stream(cancelled, compute.OpForward, f, v, v), context.Canceled)
	wantError(t, "Stream with a deadline in the past", b.Stream(past{ctx}, compute.OpForward, f, v, v), context.DeadlineExceeded)
	wantError(t, "Sync after a cancelled Stream", b.Sync(), nil)
}
