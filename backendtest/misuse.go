package backendtest

import (
	"context"
	"math"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/ops"
)

func testBadActivation(t *testing.T, b compute.Backend) {
	x := upload(t, b, []float32{1, -2, 3})
	empty := alloc(t, b, 0)
	defer release(t, x, empty)
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
		for _, op := range ops.All() {
			for _, buf := range []compute.Buffer{x, empty} {
				err := op.Run(b, test.f, buf, buf, buf)
				wantError(t, op.Name+" of "+test.f.String(), err, test.want)
				wantNames(t, b, op.Name, err)
			}
		}
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
	f := compute.LeakyReLU(0.01)
	three, four, none := alloc(t, b, 3), alloc(t, b, 4), alloc(t, b, 0)
	defer release(t, three, four, none)
	for _, pair := range [][2]compute.Buffer{{three, four}, {four, three}, {none, three}, {three, none}} {
		for _, op := range ops.All() {
			err := op.Run(b, f, pair[0], pair[1], pair[1])
			wantError(t, op.Name+" of different lengths", err, compute.ErrLength)
			wantNames(t, b, op.Name, err)
		}
		wantError(t, "backward with a dy of another length", b.Backward(f, pair[0], pair[1], pair[0]), compute.ErrLength)
	}
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

// foreign is a Buffer that no backend has made.
type foreign struct{ compute.Buffer }

func (foreign) Len() int { return 3 }

func testBadBuffer(t *testing.T, b compute.Backend) {
	own := alloc(t, b, 3)
	defer release(t, own)
	for _, bad := range []compute.Buffer{nil, foreign{}, foreign{own}} {
		wantForeign(t, b, own, bad)
	}
}

// testNil passes nil, and nil pointers of the backend's own types, where a buffer, a mask
// or a context belongs.
func testNil(t *testing.T, b compute.Backend) {
	f := compute.LeakyReLU(0.01)
	own, m := alloc(t, b, 3), allocMask(t, b, 3)
	defer release(t, own)
	defer m.Release()
	masks := []compute.Mask{nil, typedNil(m)}
	for i, buf := range []compute.Buffer{nil, typedNil(own)} {
		wantForeign(t, b, own, buf)
		for _, err := range []error{
			b.ForwardMask(f, own, masks[i], own), b.ForwardMask(f, buf, m, own), b.ForwardMask(f, own, m, buf),
			b.BackwardMask(f, own, own, masks[i]), b.BackwardMask(f, buf, own, m), b.BackwardMask(f, own, buf, m),
			b.ForwardDerivative(f, buf, own, own), b.ForwardDerivative(f, own, buf, own), b.ForwardDerivative(f, own, own, buf),
		} {
			wantError(t, "a nil buffer or mask", err, compute.ErrForeignBuffer)
			if err != nil && !strings.Contains(err.Error(), " is nil") {
				t.Errorf("the error does not say what is nil: %v", err)
			}
		}
	}
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
	own, bad := alloc(t, b, 3), alloc(t, other, 3)
	defer release(t, own, bad)
	wantForeign(t, b, own, bad)
	badMask := allocMask(t, other, 3)
	defer badMask.Release()
	f := compute.LeakyReLU(0.01)
	wantError(t, "forward mask with a foreign mask", b.ForwardMask(f, own, badMask, own), compute.ErrForeignBuffer)
	wantError(t, "backward mask with a foreign mask", b.BackwardMask(f, own, own, badMask), compute.ErrForeignBuffer)
	wantError(t, "forward derivative into a foreign buffer", b.ForwardDerivative(f, own, bad, own), compute.ErrForeignBuffer)
}

func wantForeign(t *testing.T, b compute.Backend, own, bad compute.Buffer) {
	t.Helper()
	f := compute.LeakyReLU(0.01)
	for _, op := range ops.All() {
		err := op.Run(b, f, bad, own, own)
		wantError(t, op.Name+" into a foreign buffer", err, compute.ErrForeignBuffer)
		wantNames(t, b, op.Name, err)
		wantError(t, op.Name+" of a foreign buffer", op.Run(b, f, own, own, bad), compute.ErrForeignBuffer)
	}
	wantError(t, "backward with a foreign dy", b.Backward(f, own, bad, own), compute.ErrForeignBuffer)
}

func testReleased(t *testing.T, b compute.Backend) {
	f := compute.LeakyReLU(0.01)
	for _, n := range []int{0, 3, 100000} {
		own, gone := alloc(t, b, n), alloc(t, b, n)
		release(t, gone)
		if gone.Len() != n {
			t.Errorf("after Release, Len is %d and not %d", gone.Len(), n)
		}
		for _, op := range ops.All() {
			err := op.Run(b, f, gone, own, own)
			wantError(t, op.Name+" into a released buffer", err, compute.ErrClosed)
			wantNames(t, b, op.Name, err)
			wantError(t, op.Name+" of a released buffer", op.Run(b, f, own, own, gone), compute.ErrClosed)
		}
		wantError(t, "backward with a released dy", b.Backward(f, own, gone, own), compute.ErrClosed)
		// More than one thing wrong: the first of closed, activation, foreign,
		// released and length is told.
		other := alloc(t, b, n+1)
		wantError(t, "a released buffer of another length", b.Forward(f, other, gone), compute.ErrClosed)
		wantError(t, "a released buffer and a foreign one", b.Forward(f, gone, nil), compute.ErrForeignBuffer)
		wantError(t, "a released buffer and no activation", b.Forward(compute.Activation{}, gone, gone), compute.ErrActivation)
		release(t, other)

		wantError(t, "Read of a released buffer", gone.Read(make([]float32, n)), compute.ErrClosed)
		wantError(t, "Write of a released buffer", gone.Write(make([]float32, n)), compute.ErrClosed)
		release(t, own)
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
	for _, op := range ops.All() {
		for _, buf := range []compute.Buffer{live, none} {
			wantError(t, op.Name+" after Close", op.Run(b, f, buf, buf, buf), compute.ErrClosed)
		}
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
	wantError(t, "ForwardMask after Close", b.ForwardMask(f, live, mask, live), compute.ErrClosed)
	wantError(t, "BackwardMask after Close", b.BackwardMask(f, live, live, mask), compute.ErrClosed)
	wantError(t, "ForwardDerivative after Close", b.ForwardDerivative(f, live, none, live), compute.ErrClosed)
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
