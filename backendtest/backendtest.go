// Package backendtest is the conformance suite of compute.Backend. A backend
// that passes Run keeps the contract of package compute:
//
//	func TestBackend(t *testing.T) { backendtest.Run(t, mybackend.Open) }
package backendtest

import (
	"errors"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// Run tests the backend that open opens, in subtests of t. It opens one for each
// subtest and closes it again; an error of open fails the test, so skip before
// where a backend may be missing. It holds less than 100 MB at a time. With the flag
// -short of go test it takes shorter buffers.
func Run(t *testing.T, open compute.Opener) {
	tests := []struct {
		name string
		run  func(*testing.T, compute.Backend)
	}{
		{"Info", testInfo},
		{"Lengths", testLengths},
		{"SpecialValues", testSpecialValues},
		{"InPlace", testInPlace},
		{"Order", testOrder},
		{"HostSlices", testHostSlices},
		{"MaskOrder", testMaskOrder},
		{"BadMask", testBadMask},
		{"SameResult", testSameResult},
		{"Stream", testStream},
		{"BadActivation", testBadActivation},
		{"BadLength", testBadLength},
		{"BadBuffer", testBadBuffer},
		{"Nil", testNil},
		{"Released", testReleased},
		{"TooLarge", testTooLarge},
		{"Closed", testClosed},
		{"Concurrent", testConcurrent},
		{"ReleaseWhileUsed", testReleaseWhileUsed},
		{"CloseWhileUsed", testCloseWhileUsed},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b := mustOpen(t, open)
			defer finish(t, b)
			test.run(t, b)
		})
	}
	t.Run("ForeignBuffer", func(t *testing.T) { testForeignBuffer(t, open) })
}

func mustOpen(t *testing.T, open compute.Opener) compute.Backend {
	t.Helper()
	b, err := open()
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return b
}

// finish checks that a test has released all its buffers, and closes b.
func finish(t *testing.T, b compute.Backend) {
	t.Helper()
	if info := b.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 {
		t.Errorf("%d buffers of %d bytes left at the end of the test", info.LiveBuffers, info.LiveBytes)
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// run runs fm at place, and fails the test unless its results are those of the reference
// for xs and dys. args is that of newArgs, and its buffers hold the same when run returns.
func run(t *testing.T, b compute.Backend, fm form.Form, f compute.Activation, place form.Place, args form.Args, dys, xs []float32) {
	t.Helper()
	call := place.In(args)
	if err := fm.Run(b, f, call); err != nil {
		t.Fatalf("%v of %d elements, %v: %v", fm, len(xs), place, err)
	}
	for _, o := range fm.Results() {
		if o == form.M {
			wantMask(t, b, fm, f, call.M, xs)
			continue
		}
		buf := *call.Buffer(o)
		compare(t, b, fm, o, f, read(t, buf), dys, xs)
		if buf == args.X {
			write(t, buf, xs)
		} else {
			write(t, buf, dys)
		}
	}
}

// compare fails the test at the first element of got, the result o of fm, that is not the
// reference's.
func compare(t *testing.T, b compute.Backend, fm form.Form, o form.Operand, f compute.Activation, got, dys, xs []float32) {
	t.Helper()
	if wrong := fm.Wrong(o, f, got, dys, xs, b.Info().FlushesSubnormals); wrong != "" {
		t.Fatal(wrong)
	}
}

// newArgs returns buffers for all operands: x holds xs, and the others dys.
func newArgs(t *testing.T, b compute.Backend, dys, xs []float32) form.Args {
	t.Helper()
	return form.Args{
		X: upload(t, b, xs), DY: upload(t, b, dys),
		Y: upload(t, b, dys), D: upload(t, b, dys), DX: upload(t, b, dys), M: allocMask(t, b, len(xs)),
	}
}

// releaseArgs releases what newArgs returned.
func releaseArgs(t *testing.T, a form.Args) {
	t.Helper()
	release(t, a.X, a.DY, a.Y, a.D, a.DX, a.M)
}

func upload(t *testing.T, b compute.Backend, v []float32) compute.Buffer {
	t.Helper()
	buf, err := b.Upload(v)
	if err != nil {
		t.Fatalf("Upload of %d elements: %v", len(v), err)
	}
	if buf.Len() != len(v) {
		t.Fatalf("Upload of %d elements has Len %d", len(v), buf.Len())
	}
	return buf
}

func alloc(t *testing.T, b compute.Backend, n int) compute.Buffer {
	t.Helper()
	buf, err := b.Alloc(n)
	if err != nil {
		t.Fatalf("Alloc(%d): %v", n, err)
	}
	if buf.Len() != n {
		t.Fatalf("Alloc(%d) has Len %d", n, buf.Len())
	}
	return buf
}

func read(t *testing.T, buf compute.Buffer) []float32 {
	t.Helper()
	v := make([]float32, buf.Len())
	if err := buf.Read(v); err != nil {
		t.Fatalf("Read of %d elements: %v", len(v), err)
	}
	return v
}

func write(t *testing.T, buf compute.Buffer, v []float32) {
	t.Helper()
	if err := buf.Write(v); err != nil {
		t.Fatalf("Write of %d elements: %v", len(v), err)
	}
}

func release(t *testing.T, held ...interface{ Release() error }) {
	t.Helper()
	for _, h := range held {
		if err := h.Release(); err != nil {
			t.Errorf("Release: %v", err)
		}
	}
}

// wantError fails unless err wraps sentinel.
func wantError(t *testing.T, what string, err, sentinel error) {
	t.Helper()
	if !errors.Is(err, sentinel) {
		t.Errorf("%s: got error %v, want one that wraps %q", what, err, sentinel)
	}
}
