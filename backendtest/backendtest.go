// Package backendtest is the conformance suite of compute.Backend. A backend
// that passes Run keeps the contract of package compute:
//
//	func TestBackend(t *testing.T) { backendtest.Run(t, mybackend.Open) }
package backendtest

import (
	"errors"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/ops"
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
		{"Masks", testMasks},
		{"MaskOrder", testMaskOrder},
		{"BadMask", testBadMask},
		{"ForwardDerivative", testForwardDerivative},
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

// compare fails the test at the first element of got that is not what op gives.
func compare(t *testing.T, info compute.Info, op ops.Op, f compute.Activation, got, dy, x []float32) {
	t.Helper()
	for i := range got {
		if !op.Agrees(f, got[i], dy[i], x[i], info.FlushesSubnormals) {
			t.Fatalf("%s of %v: element %d of %d is %x and should be %x (x = %x, dy = %x)",
				op.Name, f, i, len(got), got[i], op.Want(f, dy[i], x[i]), x[i], dy[i])
		}
	}
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

func release(t *testing.T, bufs ...compute.Buffer) {
	t.Helper()
	for _, buf := range bufs {
		if err := buf.Release(); err != nil {
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
