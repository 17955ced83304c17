package backendtest

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// refused fails the test unless every form of f returns an error for args that wraps want
// and names the form and the device.
func refused(t *testing.T, b compute.Backend, f compute.Activation, what string, args form.Args, want error) {
	t.Helper()
	for _, fm := range form.All() {
		wantWords(t, b, fm.String()+" "+what, fm.Run(b, f, args), want, fm.String())
	}
}

// refusedEach fails the test unless every form returns an error for args with any one operand
// from bad. The error wraps want, names the form and the device, and has the words after the
// name of the operand.
func refusedEach(t *testing.T, b compute.Backend, what string, args, bad form.Args, want error, words string) {
	t.Helper()
	for _, fm := range form.All() {
		for _, o := range fm.Operands() {
			call := args
			call.Take(o, bad)
			err := fm.Run(b, compute.LeakyReLU(0.01), call)
			// A space, since dx contains x.
			wantWords(t, b, fmt.Sprintf("%v with %v %s", fm, o, what), err, want, fm.String(), " "+o.String()+words)
		}
	}
}

func testBadActivation(t *testing.T, b compute.Backend) {
	x, m := upload(t, b, []float32{1, -2, 3}), allocMask(t, b, 3)
	empty, none := alloc(t, b, 0), allocMask(t, b, 0)
	defer release(t, x, m, empty, none)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	tests := []struct {
		f    compute.Activation
		want error
	}{
		{compute.LeakyReLU(nan), compute.ErrSlope},
		{compute.LeakyReLU(inf), compute.ErrSlope},
		{compute.LeakyReLU(-inf), compute.ErrSlope},
		{compute.Clip(2, -2), compute.ErrActivation},
		{compute.Clip(0, inf), compute.ErrActivation},
		{compute.ELU(inf), compute.ErrActivation},
		{compute.CELU(0), compute.ErrActivation},
		{compute.SoftplusBeta(-1), compute.ErrActivation},
		{compute.Activation{}, compute.ErrActivation},
		{compute.Activation{Kind: 255, Params: compute.LeakyReLU(0.01).Params}, compute.ErrActivation},
	}
	for _, test := range tests {
		refused(t, b, test.f, "of "+test.f.String(), form.Over(x, m), test.want)
		refused(t, b, test.f, "of "+test.f.String(), form.Over(empty, none), test.want)
		v := []float32{1, -2}
		wantError(t, "stream of "+test.f.String(), b.Stream(context.Background(), compute.OpForward, test.f, v, v), test.want)
	}
	// A bit does not tell the derivatives of these.
	for _, f := range []compute.Activation{compute.Sigmoid(), compute.ELU(1)} {
		wantWords(t, b, "forward mask of "+f.String(), b.ForwardMask(f, x, m, x), compute.ErrActivation, "forward mask", f.String(), "keep x")
		wantWords(t, b, "backward mask of "+f.String(), b.BackwardMask(f, x, x, m), compute.ErrActivation, "backward mask", f.String(), "keep x")
	}
	same(t, "x after refused calls", read(t, x), []float32{1, -2, 3})
}

func testBadLength(t *testing.T, b compute.Backend) {
	lengths := [][]float32{{1, -2, 3}, {1, -2, 3, 4}, {}}
	for _, own := range lengths {
		args := newArgs(t, b, own, own)
		for _, other := range lengths {
			if len(own) == len(other) {
				continue
			}
			bad := newArgs(t, b, other, other)
			refusedEach(t, b, "of another length", args, bad, compute.ErrLength, " has ")
			releaseArgs(t, bad)
		}
		unchanged(t, args, own)
		releaseArgs(t, args)
	}
	three, none := alloc(t, b, 3), alloc(t, b, 0)
	defer release(t, three, none)
	for _, v := range [][]float32{nil, make([]float32, 2), make([]float32, 4)} {
		wantError(t, "Read of another length", three.Read(v), compute.ErrLength)
		wantError(t, "Write of another length", three.Write(v), compute.ErrLength)
	}
	for _, n := range []int{-1, math.MinInt} {
		wantWords(t, b, "Alloc of a negative length", errorOf(b.Alloc(n)), compute.ErrLength, "alloc")
	}
	wantError(t, "Read of 0 elements into 1", none.Read(make([]float32, 1)), compute.ErrLength)
	wantError(t, "Read of 0 elements", none.Read(nil), nil)
	wantError(t, "Write of 0 elements", none.Write([]float32{}), nil)
}

// unchanged fails the test unless all buffers of args hold v.
func unchanged(t *testing.T, args form.Args, v []float32) {
	t.Helper()
	for _, buf := range []compute.Buffer{args.X, args.DY, args.Y, args.D, args.DX} {
		same(t, "a buffer after refused calls", read(t, buf), v)
	}
}

// testSameResult passes one buffer for two results.
func testSameResult(t *testing.T, b compute.Backend) {
	v := []float32{1, -2, 3}
	args := newArgs(t, b, v, v)
	defer releaseArgs(t, args)
	for _, fm := range form.All() {
		if fm.InOne() {
			continue
		}
		for _, y := range []compute.Buffer{args.Y, args.X} {
			one := form.Over(y, args.M)
			one.X = args.X
			wantWords(t, b, fm.String()+" with one buffer for both results", fm.Run(b, compute.LeakyReLU(0.01), one), compute.ErrOverlap, fm.String())
		}
	}
	unchanged(t, args, v)
}

// foreign is a Buffer, and foreignMask a Mask, that was not made by a backend.
type (
	foreign     struct{ compute.Buffer }
	foreignMask struct{ compute.Mask }
)

func (foreign) Len() int     { return 3 }
func (foreignMask) Len() int { return 3 }

func testBadBuffer(t *testing.T, b compute.Backend) {
	v := []float32{1, -2, 3}
	args := newArgs(t, b, v, v)
	defer releaseArgs(t, args)
	for _, bad := range []form.Args{form.Over(foreign{}, foreignMask{}), form.Over(foreign{args.X}, foreignMask{args.M})} {
		refusedEach(t, b, "not made by a backend", args, bad, compute.ErrForeignBuffer, ", a ")
	}
	unchanged(t, args, v)
}

// testNil passes nil, and nil pointers of the backend's own types, for a buffer, a mask or a
// context.
func testNil(t *testing.T, b compute.Backend) {
	f, v := compute.LeakyReLU(0.01), []float32{1, -2, 3}
	args := newArgs(t, b, v, v)
	defer releaseArgs(t, args)
	for _, bad := range []form.Args{{}, form.Over(typedNil(args.X), typedNil(args.M))} {
		refusedEach(t, b, "nil", args, bad, compute.ErrForeignBuffer, " is nil")
	}
	unchanged(t, args, v)
	var noContext context.Context
	for _, v := range [][]float32{{1, -2, 3}, nil} {
		err := b.Stream(noContext, compute.OpForward, f, v, v)
		if err == nil {
			t.Errorf("Stream of %d elements with a nil context returns no error", len(v))
		}
		wantWords(t, b, "Stream with a nil context", err, err, "stream", "ctx is nil")
		same(t, "v after a refused Stream", v, []float32{1, -2, 3}[:len(v)])
	}
}

// typedNil returns the nil pointer of the type of v, or nil if it is not a pointer type.
func typedNil[T any](v T) T {
	var none T
	if typ := reflect.TypeOf(v); typ.Kind() == reflect.Pointer {
		none, _ = reflect.Zero(typ).Interface().(T)
	}
	return none
}

// testForeignBuffer passes a buffer of one backend to another of the same type.
func testForeignBuffer(t *testing.T, open compute.Opener) {
	b, other := mustOpen(t, open), mustOpen(t, open)
	defer finish(t, b)
	defer finish(t, other)
	v := []float32{1, -2, 3}
	args, bad := newArgs(t, b, v, v), newArgs(t, other, v, v)
	refusedEach(t, b, "of another backend", args, bad, compute.ErrForeignBuffer, ", a ")
	unchanged(t, args, v)
	unchanged(t, bad, v)
	releaseArgs(t, args)
	releaseArgs(t, bad)
}

func testReleased(t *testing.T, b compute.Backend) {
	f := compute.LeakyReLU(0.01)
	for _, n := range []int{0, 3, 100000} {
		v := make([]float32, n)
		args, bad := newArgs(t, b, v, v), newArgs(t, b, v, v)
		gone := bad.X
		releaseArgs(t, bad)
		if gone.Len() != n || bad.M.Len() != n {
			t.Errorf("after Release, Len is %d and %d, want %d", gone.Len(), bad.M.Len(), n)
		}
		refusedEach(t, b, "released", args, bad, compute.ErrClosed, " was released")
		unchanged(t, args, v)
		releaseArgs(t, args)
		// Of several errors a call returns the first of closed, activation, foreign, released
		// and length.
		other := alloc(t, b, n+1)
		wantError(t, "a released buffer of another length", b.Forward(f, other, gone), compute.ErrClosed)
		wantError(t, "a released buffer and a foreign one", b.Forward(f, gone, nil), compute.ErrForeignBuffer)
		wantError(t, "a released buffer and no activation", b.Forward(compute.Activation{}, gone, gone), compute.ErrActivation)
		release(t, other)

		wantError(t, "Read of a released buffer", gone.Read(make([]float32, n)), compute.ErrClosed)
		wantError(t, "Write of a released buffer", gone.Write(make([]float32, n)), compute.ErrClosed)
	}
}

func testTooLarge(t *testing.T, b compute.Backend) {
	ns := []int{math.MaxInt, math.MaxInt/4 + 1}
	if strconv.IntSize == 64 { // a machine may have this much if int has 32 bits
		ns = append(ns, math.MaxInt/4, math.MaxInt/64)
	}
	for _, n := range ns {
		buf, err := b.Alloc(n)
		wantWords(t, b, "Alloc of more than any machine has", err, compute.ErrOutOfMemory, "alloc")
		m, err := b.AllocMask(n)
		wantWords(t, b, "AllocMask of more than any machine has", err, compute.ErrOutOfMemory, "alloc mask")
		if buf != nil || m != nil {
			t.Errorf("of %d elements Alloc returns %v and AllocMask %v, want nil", n, buf, m)
		}
	}
	wantError(t, "Sync after ErrOutOfMemory", b.Sync(), nil)
}

func testClosed(t *testing.T, b compute.Backend) {
	f := compute.LeakyReLU(0.01)
	live, none, mask := upload(t, b, make([]float32, 100000)), alloc(t, b, 0), allocMask(t, b, 100000)
	if err := b.Forward(f, live, live); err != nil { // may still run at Close
		t.Fatal(err)
	}
	call, err := b.Prepare(axpy, live, compute.F32(2), live, live)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := b.Close(); err != nil {
			t.Fatalf("Close with live buffers: %v", err)
		}
	}
	if info := b.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 {
		t.Errorf("after Close Info counts %d buffers of %d bytes", info.LiveBuffers, info.LiveBytes)
	}
	for _, buf := range []compute.Buffer{live, none} {
		refused(t, b, f, "after Close", form.Over(buf, mask), compute.ErrClosed)
	}
	v := make([]float32, live.Len())
	for what, err := range map[string]error{
		"a nil buffer":   b.Forward(f, nil, live),
		"no activation":  b.Forward(compute.Activation{}, live, live),
		"no operation":   b.Stream(context.Background(), 99, f, nil, nil),
		"Stream":         b.Stream(context.Background(), compute.OpForward, f, v, v),
		"Run":            b.Run(axpy, live, compute.F32(2), live, live),
		"Run of nothing": b.Run(nil),
		"Prepare":        errorOf(b.Prepare(axpy, live, compute.F32(2), live, live)),
		"a prepared Run": call.Run(),
		"RunSlices":      b.RunSlices(context.Background(), axpy, compute.Slice(v), compute.F32(2), compute.Slice(v), compute.Slice(v)),
		"Alloc(-1)":      errorOf(b.Alloc(-1)),
		"Alloc(0)":       errorOf(b.Alloc(0)),
		"Alloc(3)":       errorOf(b.Alloc(3)),
		"AllocMask(3)":   errorOf(b.AllocMask(3)),
		"Upload":         errorOf(b.Upload(v[:1])),
		"Read of a mask": mask.Read(make([]uint64, form.MaskWords(mask.Len()))),
		"Sync":           b.Sync(),
		"Read":           live.Read(v),
		"Write":          live.Write(v),
	} {
		wantError(t, what+" after Close", err, compute.ErrClosed)
	}
	release(t, live, none, mask)
}
