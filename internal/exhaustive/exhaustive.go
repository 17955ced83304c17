// Package exhaustive tests backends on all 2^32 inputs, or on a sample of them, and compares
// all results with the reference formulas, bit by bit.
package exhaustive

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"unsafe"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// functions returns the functions to test: the fused ones. The others are programs, of functions
// that Functions tests. The slopes of LeakyReLU are two with products that are rounded, and a
// negative one.
func functions() []compute.Activation {
	list := []compute.Activation{compute.LeakyReLU(compute.DefaultNegativeSlope), compute.LeakyReLU(0.2), compute.LeakyReLU(-0.5)}
	for _, f := range form.Fused() {
		if f.Kind != compute.KindLeakyReLU {
			list = append(list, f)
		}
	}
	return list
}

const (
	block  = 256 << 10 // elements of a call: all operands fit in the caches
	sample = 4096      // a sample has one of this many neighbouring inputs
)

// A Subject is a backend to test.
type Subject struct {
	Name string
	compute.Backend
	// Contents returns the elements of a buffer without a copy. It may be nil.
	Contents func(compute.Buffer) []float32
	// Together is whether Functions only runs programs with several functions, since it takes
	// long to compile a program.
	Together bool
}

// Run tests the subjects on every input, or on a sample unless testenv.Exhaustive. It fails
// the test at the first result that differs from the reference.
func Run(t *testing.T, subjects []Subject) {
	t.Helper()
	run(t, subjects, step(1), block)
}

// RunPart is like Run, but an exhaustive run has only one of every neighbouring inputs.
func RunPart(t *testing.T, subjects []Subject, every uint64) {
	t.Helper()
	run(t, subjects, step(every), block)
}

// RunShort tests the subjects on a smaller sample, in calls of fewer elements than a vector
// has, which kernels compute in another way.
func RunShort(t *testing.T, subjects []Subject) {
	t.Helper()
	run(t, subjects, 64*sample, 3)
}

// run tests one of every neighbouring inputs, and all pairs of special values, in calls of
// length elements.
func run(t *testing.T, subjects []Subject, every uint64, length int) {
	t.Helper()
	inputBlocks := blocks(1<<32/every, length)
	last := inputBlocks + blocks(uint64(len(values.Special())*len(values.Special())), length)
	var next, done atomic.Int64
	err := parallel(func(int) error {
		w, err := newWorker(subjects, length)
		if err != nil {
			return err
		}
		defer w.release()
		for {
			i := next.Add(1) - 1
			switch {
			case i < inputBlocks:
				inputs(w.x, w.dy, uint64(i)*uint64(length), every)
			case i < last:
				specials(w.x, w.dy, int(i-inputBlocks)*length)
			default:
				return nil
			}
			if err := w.test(); err != nil {
				next.Store(last) // stops the others
				return err
			}
			if d := done.Add(1); every < sample && d%(inputBlocks/16) == 0 {
				t.Logf("%3d %% of %d inputs", 100*d/inputBlocks, 1<<32/every)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range subjects {
		t.Logf("all equal: %s, %d inputs, %d in a call, %v, all forms", s.Name, 1<<32/every, length, functions())
	}
}

// parallel calls work on every core at once, with the number of the core, and returns the
// errors.
func parallel(work func(core int) error) error {
	errs := make([]error, runtime.GOMAXPROCS(0))
	var wg sync.WaitGroup
	for core := range errs {
		wg.Go(func() { errs[core] = work(core) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// blocks returns the number of blocks of length elements for n inputs.
func blocks(n uint64, length int) int64 { return int64((n + uint64(length) - 1) / uint64(length)) }

// step returns the sampling stride: every in an exhaustive run, and otherwise sample.
func step(every uint64) uint64 {
	if testenv.Exhaustive() {
		return every
	}
	return sample
}

// inputs sets x to the inputs from number first on. Each is one of every neighbours, at a
// position among them that varies. It sets dy to a permutation of all floats, so that it
// has every float too if x has.
func inputs(x, dy []float32, first, every uint64) {
	for i := range x {
		n := first + uint64(i)
		pattern := uint32(n*every + uint64(scatter(uint32(n)))%every)
		x[i] = math.Float32frombits(pattern)
		dy[i] = math.Float32frombits(scatter(pattern))
	}
}

// scatter is a permutation of the 32-bit numbers that moves neighbours far apart: the
// factor is odd, and 2^32 divided by the golden ratio.
func scatter(n uint32) uint32 { return n*0x9e3779b9 + 0x7f4a7c15 }

// specials sets x and dy to pairs of special values, from number first on.
func specials(x, dy []float32, first int) {
	special := values.Special()
	for i := range x {
		n := first + i
		x[i] = special[n%len(special)]
		dy[i] = special[n/len(special)%len(special)]
	}
}

// expected has the results of the reference formulas.
type expected struct {
	y, d, dx []float32
	signs    []uint64
}

func newExpected(n int) expected {
	floats := func() []float32 { return make([]float32, n) }
	return expected{floats(), floats(), floats(), make([]uint64, form.MaskWords(n))}
}

func (e *expected) set(f compute.Activation, dy, x []float32) {
	for word := range e.signs {
		lo, hi := 64*word, min(64*word+64, len(x))
		x := x[lo:hi]
		dy, y, d, dx := dy[lo:hi][:len(x)], e.y[lo:hi][:len(x)], e.d[lo:hi][:len(x)], e.dx[lo:hi][:len(x)]
		var signs uint64
		for i, v := range x {
			y[i], d[i], dx[i] = f.Value(v), f.Derivative(v), f.Backward(dy[i], v)
			signs |= form.Bit(f, v) << i
		}
		e.signs[word] = signs
	}
}

// A worker tests one block of inputs after the other on all subjects. It computes the
// expected results once for all of them.
type worker struct {
	x, dy    []float32
	want     expected
	got      []float32
	gotSigns []uint64
	devices  []*device

	functions []compute.Activation
}

// A device is a subject with the buffers of one worker.
type device struct {
	Subject
	flushes bool
	x, dy   compute.Buffer
	results [2]compute.Buffer // used in turn
	m       compute.Mask
}

func newWorker(subjects []Subject, length int) (*worker, error) {
	floats := func() []float32 { return make([]float32, length) }
	w := &worker{
		x: floats(), dy: floats(), got: floats(), gotSigns: make([]uint64, form.MaskWords(length)),
		want: newExpected(length), functions: functions(),
	}
	for _, s := range subjects {
		d := &device{Subject: s, flushes: s.Info().FlushesSubnormals}
		w.devices = append(w.devices, d)
		var err error
		for _, buf := range []*compute.Buffer{&d.x, &d.dy, &d.results[0], &d.results[1]} {
			if *buf, err = s.Alloc(length); err != nil {
				return nil, err
			}
		}
		if d.m, err = s.AllocMask(length); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *worker) release() {
	for _, d := range w.devices {
		for _, held := range []interface{ Release() error }{d.x, d.dy, d.results[0], d.results[1], d.m} {
			held.Release() // Close reports errors
		}
	}
}

// test tests the block in x and dy.
func (w *worker) test() error {
	for _, d := range w.devices {
		// What a kernel does not write must be wrong: first dy, and below the result of
		// another form.
		if err := errors.Join(d.x.Write(w.x), d.dy.Write(w.dy), d.results[0].Write(w.dy), d.results[1].Write(w.dy)); err != nil {
			return err
		}
	}
	for _, f := range w.functions {
		w.want.set(f, w.dy, w.x)
		for _, d := range w.devices {
			if err := w.testDevice(d, f); err != nil {
				return fmt.Errorf("%s: %w", d.Name, err)
			}
		}
	}
	return nil
}

func (w *worker) testDevice(d *device, f compute.Activation) error {
	next := 0
	for _, fm := range form.All() {
		args := form.Args{X: d.x, DY: d.dy, M: d.m}
		for _, o := range fm.Results() {
			if o != form.M {
				*args.Buffer(o) = d.results[next%2]
				next++
				continue
			}
			bad := args
			bad.X = d.dy // other bits, which must be overwritten
			if err := fm.Run(d, f, bad); err != nil {
				return err
			}
		}
		if err := fm.Run(d, f, args); err != nil {
			return err
		}
		for _, o := range fm.Results() {
			if err := w.compare(d, f, fm, o, args); err != nil {
				return err
			}
		}
	}
	return nil
}

// read returns the elements of buf.
func (w *worker) read(d *device, buf compute.Buffer) ([]float32, error) {
	if d.Contents != nil {
		return d.Contents(buf), nil
	}
	return w.got, buf.Read(w.got)
}

// compare returns an error that names the first wrong element of the result o.
func (w *worker) compare(d *device, f compute.Activation, fm form.Form, o form.Operand, args form.Args) error {
	if o == form.M {
		return w.compareMask(d, f, fm)
	}
	got, err := w.read(d, *args.Buffer(o))
	if err != nil {
		return err
	}
	want := map[form.Operand][]float32{form.Y: w.want.y, form.D: w.want.d, form.DX: w.want.dx}[o]
	if bytes.Equal(asBytes(got), asBytes(want)) {
		return nil
	}
	const piece = 64 // elements: most pieces have no NaN, whose bits may differ
	for lo := 0; lo < len(want); lo += piece {
		hi := min(lo+piece, len(want))
		if bytes.Equal(asBytes(got[lo:hi]), asBytes(want[lo:hi])) {
			continue
		}
		for i := lo; i < hi; i++ {
			if values.Same(got[i], want[i]) || d.flushes && o.Agrees(f, got[i], w.dy[i], w.x[i], true) {
				continue
			}
			return fmt.Errorf("%v of %v at x = %s, dy = %s is %s and should be %s",
				fm, f, values.Show(w.x[i]), values.Show(w.dy[i]), values.Show(got[i]), values.Show(want[i]))
		}
	}
	return nil
}

// compareMask is like compare, for a mask.
func (w *worker) compareMask(d *device, f compute.Activation, fm form.Form) error {
	if err := d.m.Read(w.gotSigns); err != nil {
		return err
	}
	if slices.Equal(w.gotSigns, w.want.signs) {
		return nil
	}
	if wrong := fm.WrongBits(f, w.gotSigns, w.x, d.flushes); wrong != "" {
		return errors.New(wrong)
	}
	return nil
}

func asBytes(v []float32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&v[0])), 4*len(v))
}
