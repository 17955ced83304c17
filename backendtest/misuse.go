package backendtest

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// refused fails the test unless every form of f refuses args with an error that wraps want
// and names the form and the device.
func refused(t *testing.T, b compute.Backend, f compute.Activation, what string, args form.Args, want error) {
	t.Helper()
	for _, fm := range form.All() {
		err := fm.Run(b, f, args)
		wantError(t, fm.String()+" "+what, err, want)
		wantNames(t, b, fm.String(), err)
	}
}

// refusedEach fails the test unless every form refuses args with any one of its operands
// from bad, with an error that wraps want and contains the words.
func refusedEach(t *testing.T, b compute.Backend, what string, args, bad form.Args, want error, words string) {
	t.Helper()
	for _, fm := range form.All() {
		for _, o := range fm.Operands() {
			call := args
			call.Take(o, bad)
			err := fm.Run(b, compute.LeakyReLU(0.01), call)
			wantError(t, fmt.Sprintf("%v with %v %s", fm, o, what), err, want)
			wantNames(t, b, fm.String(), err)
			wantNames(t, b, " "+o.String()+words, err) // x is no part of dx
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
		{compute.Activation{}, compute.ErrActivation},
		{compute.Activation{Kind: 255, NegativeSlope: 0.01}, compute.ErrActivation},
	}
	for _, test := range tests {
		refused(t, b, test.f, "of "+test.f.String(), form.Over(x, m), test.want)
		refused(t, b, test.f, "of "+test.f.String(), form.Over(empty, none), test.want)
		v := []float32{1, -2}
		wantError(t, "stream of "+test.f.String(), b.Stream(context.Background(), compute.OpForward, test.f, v, v), test.want)
	}
	same(t, "x after refused calls", read(t, x), []float32{1, -2, 3})
}

// wantNames fails unless err names the operation and the device.
func wantNames(t *testing.T, b compute.Backend, op string, err error) {
	t.Helper()
	if err == nil {
		return
	}
	for _, name := range []string{op, b.Info().Name} {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not name %q: %v", name, err)
		}
	}
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
		_, err := b.Alloc(n)
		wantError(t, "Alloc of a negative length", err, compute.ErrLength)
		wantNames(t, b, "alloc", err)
	}
	wantError(t, "Read of nothing into something", none.Read(make([]float32, 1)), compute.ErrLength)
	if err := none.Read(nil); err != nil {
		t.Errorf("Read of nothing: %v", err)
	}
	if err := none.Write([]float32{}); err != nil {
		t.Errorf("Write of nothing: %v", err)
	}
}

// unchanged fails the test unless all buffers of args hold v.
func unchanged(t *testing.T, args form.Args, v []float32) {
	t.Helper()
	for _, buf := range []compute.Buffer{args.X, args.DY, args.Y, args.D, args.DX} {
		same(t, "a buffer after refused calls", read(t, buf), v)
	}
}

// testSameResult gives two results one buffer.
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
			err := fm.Run(b, compute.LeakyReLU(0.01), one)
			wantError(t, fm.String()+" with one buffer for both results", err, compute.ErrOverlap)
			wantNames(t, b, fm.String(), err)
		}
	}
	unchanged(t, args, v)
}

// foreign is a Buffer, and foreignMask a Mask, that no backend has made.
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
		refusedEach(t, b, "of nobody", args, bad, compute.ErrForeignBuffer, ", a ")
	}
	unchanged(t, args, v)
}

// testNil passes nil, and nil pointers of the backend's own types, where a buffer, a mask
// or a context belongs.
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
		if err == nil || !strings.Contains(err.Error(), "ctx is nil") {
			t.Errorf("Stream of %d elements with a nil context: got error %v, want one that says so", len(v), err)
		}
		wantNames(t, b, "stream", err)
		same(t, "v after a refused Stream", v, []float32{1, -2, 3}[:len(v)])
	}
}

// typedNil returns the nil pointer of the type of v, or nil if that is no pointer type.
func typedNil[T any](v T) T {
	var none T
	if typ := reflect.TypeOf(v); typ.Kind() == reflect.Pointer {
		none, _ = reflect.Zero(typ).Interface().(T)
	}
	return none
}

// testForeignBuffer uses a buffer of one backend on another of the same type.
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
			t.Errorf("after Release, Len is %d and %d and not %d", gone.Len(), bad.M.Len(), n)
		}
		refusedEach(t, b, "released", args, bad, compute.ErrClosed, " was released")
		unchanged(t, args, v)
		releaseArgs(t, args)
		// More than one thing wrong: the first of closed, activation, foreign,
		// released and length is told.
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
	if strconv.IntSize == 64 { // on 32 bits a machine may have this much
		ns = append(ns, math.MaxInt/4, math.MaxInt/64)
	}
	for _, n := range ns {
		buf, err := b.Alloc(n)
		wantError(t, "Alloc of more than any machine has", err, compute.ErrOutOfMemory)
		wantNames(t, b, "alloc", err)
		if buf != nil {
			t.Errorf("Alloc(%d) returned a buffer beside its error", n)
		}
		m, err := b.AllocMask(n)
		wantError(t, "AllocMask of more than any machine has", err, compute.ErrOutOfMemory)
		wantNames(t, b, "alloc mask", err)
		if m != nil {
			t.Errorf("AllocMask(%d) returned a mask beside its error", n)
		}
	}
	if err := b.Sync(); err != nil { // the backend stays usable
		t.Error(err)
	}
}

func testClosed(t *testing.T, b compute.Backend) {
	f := compute.LeakyReLU(0.01)
	live, none, mask := upload(t, b, make([]float32, 100000)), alloc(t, b, 0), allocMask(t, b, 100000)
	if err := b.Forward(f, live, live); err != nil { // under way at Close
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
	wantError(t, "a nil buffer after Close", b.Forward(f, nil, live), compute.ErrClosed)
	wantError(t, "no activation after Close", b.Forward(compute.Activation{}, live, live), compute.ErrClosed)
	wantError(t, "no operation after Close", b.Stream(context.Background(), 99, f, nil, nil), compute.ErrClosed)
	_, err := b.Alloc(-1)
	wantError(t, "Alloc(-1) after Close", err, compute.ErrClosed)
	_, err = b.Alloc(3)
	wantError(t, "Alloc after Close", err, compute.ErrClosed)
	_, err = b.Alloc(0)
	wantError(t, "Alloc(0) after Close", err, compute.ErrClosed)
	_, err = b.Upload([]float32{1})
	wantError(t, "Upload after Close", err, compute.ErrClosed)
	v := []float32{1}
	wantError(t, "Stream after Close", b.Stream(context.Background(), compute.OpForward, f, v, v), compute.ErrClosed)
	_, err = b.AllocMask(3)
	wantError(t, "AllocMask after Close", err, compute.ErrClosed)
	wantError(t, "Read of a mask after Close", mask.Read(make([]uint64, (mask.Len()+63)/64)), compute.ErrClosed)
	if err := mask.Release(); err != nil {
		t.Errorf("Release of a mask after Close: %v", err)
	}
	wantError(t, "Sync after Close", b.Sync(), compute.ErrClosed)
	wantError(t, "Read after Close", live.Read(make([]float32, live.Len())), compute.ErrClosed)
	wantError(t, "Write after Close", live.Write(make([]float32, live.Len())), compute.ErrClosed)
	release(t, live, none)
}
