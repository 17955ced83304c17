// Package backendtest is the conformance suite of compute.Backend. A backend that passes Run
// conforms to the contract of package compute:
//
//	func TestBackend(t *testing.T) { backendtest.Run(t, mybackend.Open) }
package backendtest

import (
	"errors"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
)

// Run tests the backend of open in subtests of t. Each subtest opens a backend and closes
// it. An error of open fails the test, so call t.Skip first if there may be no device. Run
// uses less than 100 MB of memory at a time, and shorter buffers with go test -short.
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
		{"Programs", testPrograms},
		{"RandomPrograms", testRandomPrograms},
		{"Rows", testRows},
		{"ProgramsInPlace", testProgramsInPlace},
		{"Functions", testFunctions},
		{"ActivationsOfPrograms", testActivationsOfPrograms},
		{"ProgramOrder", testProgramOrder},
		{"Prepared", testPrepared},
		{"RandomNumbers", testRandomNumbers},
		{"RunSlices", testRunSlices},
		{"Views", testViews},
		{"Gather", testGather},
		{"Reduce", testReduce},
		{"ReduceArguments", testReduceArguments},
		{"MatMul", testMatMul},
		{"LinearViews", testLinearViews},
		{"Zeros", testZeros},
		{"BadProgram", testBadProgram},
		{"BadLinear", testBadLinear},
		{"BadOperand", testBadOperand},
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

// finish closes b, and fails the test unless all buffers were released.
func finish(t *testing.T, b compute.Backend) {
	t.Helper()
	if info := b.Info(); info.LiveBuffers != 0 || info.LiveBytes != 0 {
		t.Errorf("%d buffers of %d bytes left at the end of the test", info.LiveBuffers, info.LiveBytes)
	}
	if err := b.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// run runs fm at place, and fails the test unless the results are those of the reference for
// xs and dys. args is from newArgs; run restores the contents of its buffers.
func run(t *testing.T, b compute.Backend, fm form.Form, f compute.Activation, place form.Place, args form.Args, dys, xs []float32) {
	t.Helper()
	runWith(t, b, fm, f, place, args, dys, xs, form.NewReference(f, dys, xs))
}

// runWith is run with the reference of f for xs and dys, which several calls share.
func runWith(t *testing.T, b compute.Backend, fm form.Form, f compute.Activation, place form.Place, args form.Args, dys, xs []float32, right *form.Reference) {
	t.Helper()
	call := place.In(args)
	if err := fm.Run(b, f, call); err != nil {
		t.Fatalf("%v of %d elements, %v: %v", fm, len(xs), place, err)
	}
	for _, o := range fm.Results() {
		if o == form.M {
			wantMask(t, b, fm, right, call.M)
			continue
		}
		buf := *call.Buffer(o)
		if wrong := right.Wrong(fm, o, read(t, buf), b.Info().FlushesSubnormals); wrong != "" {
			t.Fatal(wrong)
		}
		if buf == args.X {
			write(t, buf, xs)
		} else {
			write(t, buf, dys)
		}
	}
}

// compare fails the test at the first wrong element of got, the result o of fm.
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

// releaseArgs releases the buffers of newArgs.
func releaseArgs(t *testing.T, a form.Args) {
	t.Helper()
	release(t, a.X, a.DY, a.Y, a.D, a.DX, a.M)
}

func upload(t *testing.T, b compute.Backend, v []float32) compute.Buffer {
	t.Helper()
	buf, err := b.Upload(v)
	return made(t, "Upload", len(v), buf, err)
}

func alloc(t *testing.T, b compute.Backend, n int) compute.Buffer {
	t.Helper()
	buf, err := b.Alloc(n)
	return made(t, "Alloc", n, buf, err)
}

func allocMask(t *testing.T, b compute.Backend, n int) compute.Mask {
	t.Helper()
	m, err := b.AllocMask(n)
	return made(t, "AllocMask", n, m, err)
}

// made returns m, and fails the test if there is an error or the length is not n.
func made[T interface{ Len() int }](t *testing.T, call string, n int, m T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatalf("%s of %d elements: %v", call, n, err)
	}
	if m.Len() != n {
		t.Fatalf("%s of %d elements has Len %d", call, n, m.Len())
	}
	return m
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

// errorOf returns the error of a call that also has a result.
func errorOf(_ any, err error) error { return err }

// wantError fails the test unless err wraps want.
func wantError(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

// wantWords fails the test unless err, of a call that must fail, wraps want and contains the
// words and the name of the device.
func wantWords(t *testing.T, b compute.Backend, what string, err, want error, words ...string) {
	t.Helper()
	wantError(t, what, err, want)
	if err == nil {
		return
	}
	for _, word := range append(words, b.Info().Name) {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%s: the error does not contain %q: %v", what, word, err)
		}
	}
}
