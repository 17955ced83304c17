package exhaustive

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/golden"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// together is the number of functions of a program with several.
const together = 8

// Functions tests the functions of programs on the subjects: at all inputs that are hard to
// round, and on all other inputs too, by the hashes of package golden, or on a sample unless
// testenv.Exhaustive. An exhaustive run has only one of every blocks of 2^20 inputs, and of
// these only one of as many as the environment variable EVERY says, for emulated processors.
func Functions(t *testing.T, subjects []Subject, every int) {
	t.Helper()
	if len(subjects) == 0 {
		return
	}
	ops := golden.Functions()
	if err := hardInputs(subjects, ops); err != nil {
		t.Fatal(err)
	}
	if n, err := strconv.Atoi(os.Getenv("EVERY")); err == nil {
		every *= max(n, 1)
	}
	tasks := tasks(ops, every, subjects[0].Together)
	if err := runTasks(t, subjects, tasks); err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for _, task := range tasks {
		blocks += len(task.ops)
	}
	for _, s := range subjects {
		t.Logf("all equal: %s, %d functions, %d blocks of %d inputs, and all inputs that are hard to round", s.Name, len(ops), blocks, golden.BlockSize)
	}
}

// A task is a block of inputs, and the functions that are tested on it.
type task struct {
	block int
	ops   []ir.Op
}

// tasks returns what Functions tests by hashes: all blocks, or one of every; or a sample: that
// of package golden, and some random blocks, without the latter where these take long, or slow
// is set. The first is the sample of package golden.
func tasks(ops []ir.Op, every int, slow bool) []task {
	list := []task{{golden.Sample, ops}}
	switch {
	case testenv.Exhaustive():
		for b := range golden.Blocks {
			// Of every neighbouring blocks, each has other functions.
			var some []ir.Op
			for i, op := range ops {
				if (b+i)%every == 0 {
					some = append(some, op)
				}
			}
			if len(some) > 0 {
				list = append(list, task{b, some})
			}
		}
	case !slow && !constrained():
		r := rand.New(rand.NewPCG(1, 2))
		for range 3 {
			const low, high = (127 - 13) * 8, (127 + 7) * 8 // from 2^-13 to 2^7, where results vary
			for some := range slices.Chunk(ops, together) {
				list = append(list, task{low + r.IntN(high-low) + r.IntN(2)*golden.Blocks/2, some})
			}
		}
	}
	return list
}

// constrained reports whether tests are to be short: kernels in Go are slow with the race
// detector or 32 bits, and processors other than amd64 are likely emulated.
func constrained() bool {
	return testing.Short() || testenv.Raced || strconv.IntSize == 32 || runtime.GOARCH != "amd64"
}

// runTasks tests the subjects, on all cores.
func runTasks(t *testing.T, subjects []Subject, tasks []task) error {
	var next, done atomic.Int64
	return parallel(func(int) error {
		w, err := newFunctionWorker(subjects, golden.BlockSize)
		if err != nil {
			return err
		}
		defer w.release()
		for {
			i := int(next.Add(1)) - 1
			if i >= len(tasks) {
				return nil
			}
			if err := w.test(tasks[i]); err != nil {
				next.Store(int64(len(tasks))) // stops the others
				return err
			}
			if d := int(done.Add(1)); testenv.Exhaustive() && d%(len(tasks)/16+1) == 0 {
				t.Logf("%3d %% of the blocks", 100*d/len(tasks))
			}
		}
	})
}

// A functionWorker tests one block after the other.
type functionWorker struct {
	x, got  []float32
	devices []*functionDevice
}

// A functionDevice is a subject with the buffers of one worker.
type functionDevice struct {
	Subject
	x compute.Buffer
	y [together]compute.Buffer
}

func newFunctionWorker(subjects []Subject, length int) (*functionWorker, error) {
	w := &functionWorker{x: make([]float32, length), got: make([]float32, length)}
	for _, s := range subjects {
		d := &functionDevice{Subject: s}
		w.devices = append(w.devices, d)
		var err error
		if d.x, err = s.Alloc(length); err != nil {
			return nil, err
		}
		for i := range d.y {
			if d.y[i], err = s.Alloc(length); err != nil {
				return nil, err
			}
		}
	}
	return w, nil
}

func (w *functionWorker) release() {
	for _, d := range w.devices {
		for _, buf := range append(d.y[:], d.x) {
			buf.Release() // Close reports errors
		}
	}
}

// write sets x on all devices.
func (w *functionWorker) write() error {
	for _, d := range w.devices {
		if err := d.x.Write(w.x); err != nil {
			return err
		}
	}
	return nil
}

// programs returns the functions of the programs that compute ops: with one in each, which is
// a loop of its own on the CPU, or several, or both.
func (d *functionDevice) programs(ops []ir.Op, both bool) [][]ir.Op {
	var list [][]ir.Op
	if both || !d.Together {
		list = slices.Collect(slices.Chunk(ops, 1))
	}
	if both || d.Together {
		list = slices.AppendSeq(list, slices.Chunk(ops, together))
	}
	return list
}

// programOf returns the program whose results are those of some functions.
func programOf(ops []ir.Op) *expr.Program {
	var b ir.Builder
	x := b.Arg("x", ir.F32)
	for _, op := range ops {
		b.Result(op.Info().Name+"Of", b.Op(op, x))
	}
	return expr.FromIR(b.Program("f"))
}

// run computes the results of some functions. What a kernel does not write is the inputs in
// reverse, if spoil is set.
func (w *functionWorker) run(d *functionDevice, ops []ir.Op, spoil bool) error {
	args := make([]compute.Arg, 0, together+1)
	if spoil {
		copy(w.got, w.x)
		slices.Reverse(w.got)
	}
	for i := range ops {
		if spoil {
			if err := d.y[i].Write(w.got); err != nil {
				return err
			}
		}
		args = append(args, d.y[i])
	}
	return d.Run(programOf(ops), append(args, d.x)...)
}

// result returns result i of run, which is valid until the next call.
func (w *functionWorker) result(d *functionDevice, i int) ([]float32, error) {
	if d.Contents != nil {
		return d.Contents(d.y[i]), nil
	}
	return w.got, d.y[i].Read(w.got)
}

// test compares the hashes of a task.
func (w *functionWorker) test(k task) error {
	golden.Inputs(k.block, w.x)
	if err := w.write(); err != nil {
		return err
	}
	return w.each(k.ops, k.block == golden.Sample && (testenv.Exhaustive() || !constrained()), func(_ int, op ir.Op, got []float32) error {
		if golden.Hash(got) == golden.Block(op, k.block) {
			return nil
		}
		return fmt.Errorf("block %d: %w", k.block, firstWrong(op, w.x, got))
	})
}

// each calls check with the results of every function on every device. With careful, programs
// of one function and of several are run, and results spoiled before.
func (w *functionWorker) each(ops []ir.Op, careful bool, check func(i int, op ir.Op, got []float32) error) error {
	for _, d := range w.devices {
		first := 0
		for _, some := range d.programs(ops, careful && !d.Together) {
			err := w.run(d, some, careful)
			for i := 0; i < len(some) && err == nil; i++ {
				var got []float32
				if got, err = w.result(d, i); err == nil {
					err = check((first+i)%len(ops), some[i], got)
				}
			}
			if err != nil {
				return fmt.Errorf("%s: %w, in a program of %d functions", d.Name, err, len(some))
			}
			first += len(some)
		}
	}
	return nil
}

// firstWrong returns an error that names the first result that is not that of package rounded.
func firstWrong(op ir.Op, x, got []float32) error {
	f := golden.Rounded(op)
	for i, v := range x {
		if want := f(v); !values.Same(got[i], want) {
			return wrongValue(op, v, got[i], want)
		}
	}
	return fmt.Errorf("the hash of %s is wrong, though its results are those of package rounded", op.Info().Name)
}

func wrongValue(op ir.Op, x, got, want float32) error {
	return fmt.Errorf("%s(%s) is %s and should be %s", op.Info().Name, values.Show(x), values.Show(got), values.Show(want))
}

// hardInputs tests the subjects at the inputs that are hard to round for one of the functions.
func hardInputs(subjects []Subject, ops []ir.Op) error {
	var x []float32
	first := []int{0} // by function
	for _, op := range ops {
		hard, _ := golden.Near(op)
		x = append(x, hard...)
		first = append(first, len(x))
	}
	w, err := newFunctionWorker(subjects, len(x))
	if err != nil {
		return err
	}
	defer w.release()
	copy(w.x, x)
	if err := w.write(); err != nil {
		return err
	}
	return w.each(ops, true, func(i int, op ir.Op, got []float32) error {
		_, want := golden.Near(op)
		for j, y := range got[first[i]:first[i+1]] {
			if !values.Same(y, want[j]) {
				return wrongValue(op, x[first[i]+j], y, want[j])
			}
		}
		return nil
	})
}
