package exhaustive

import (
	"errors"
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

// Functions tests the functions of programs on the subjects: at all inputs that are hard to
// round, and on all other inputs too, by the hashes of package golden, or on a sample unless
// testenv.Exhaustive. An exhaustive run has only one of every blocks of 2^20 inputs, and of
// these only one of as many as the environment variable EVERY says, for emulated processors.
func Functions(t *testing.T, subjects []Subject, every int) {
	t.Helper()
	if len(subjects) == 0 {
		return
	}
	ops := computed(t, subjects)
	if len(ops) == 0 {
		return
	}
	if err := hardInputs(subjects, ops); err != nil {
		t.Fatal(err)
	}
	if n, err := strconv.Atoi(os.Getenv("EVERY")); err == nil {
		every *= max(n, 1)
	}
	tasks := tasks(ops, every)
	if err := runTasks(t, subjects, tasks); err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for _, task := range tasks {
		blocks += len(task.ops)
	}
	for _, s := range subjects {
		t.Logf("all equal: %s, %d functions, %d inputs of each, and all that are hard to round", s.Name, len(ops), blocks/len(ops)*golden.BlockSize)
	}
}

// A functionProgram computes a function: alone, or with another operation.
type functionProgram struct {
	format string
	extra  []compute.Arg // the arguments after x
}

// A function alone is computed in one loop, and within a program for one tile of elements
// after the other.
var (
	alone  = functionProgram{"f(x) = %s(x)", nil}
	within = functionProgram{"func f(x float32, c bool) (y float32) {\n\treturn where(c, %s(x), x)\n}", []compute.Arg{compute.Bool(true)}}
)

// of returns the program for a function.
func (p functionProgram) of(op ir.Op) *expr.Program {
	return expr.MustParse(fmt.Sprintf(p.format, op.Info().Name))
}

// computed returns the functions that all subjects compute.
func computed(t *testing.T, subjects []Subject) []ir.Op {
	return slices.DeleteFunc(golden.Functions(), func(op ir.Op) bool {
		err := hardInputsOf(subjects, op)
		if errors.Is(err, errors.ErrUnsupported) {
			t.Logf("NOT tested: %v", err)
			return true
		}
		return false
	})
}

// A task is a block of inputs, and the functions that are tested on it.
type task struct {
	block int
	ops   []ir.Op
}

// tasks returns what Functions tests by hashes: all blocks, or one of every; or a sample: that
// of package golden, and some random blocks, without the latter where they take long. The
// first is the sample of package golden.
func tasks(ops []ir.Op, every int) []task {
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
	case testing.Short() || testenv.Raced || strconv.IntSize == 32 || runtime.GOARCH != "amd64":
	default:
		r := rand.New(rand.NewPCG(1, 2))
		for _, op := range ops {
			for range 3 {
				const low, high = (127 - 13) * 8, (127 + 7) * 8 // from 2^-13 to 2^7, where results vary
				list = append(list, task{low + r.IntN(high-low) + r.IntN(2)*golden.Blocks/2, []ir.Op{op}})
			}
		}
	}
	return list
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
	x, y compute.Buffer
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
		if d.y, err = s.Alloc(length); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *functionWorker) release() {
	for _, d := range w.devices {
		for _, buf := range []compute.Buffer{d.x, d.y} {
			if buf != nil {
				buf.Release() // Close reports errors
			}
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

// spoil sets the results to the inputs in reverse.
func (w *functionWorker) spoil(d *functionDevice) error {
	copy(w.got, w.x)
	slices.Reverse(w.got)
	return d.y.Write(w.got)
}

// run returns the results of a function. What a kernel does not write is that of the run
// before.
func (w *functionWorker) run(d *functionDevice, p functionProgram, op ir.Op) ([]float32, error) {
	if err := d.Run(p.of(op), slices.Concat([]compute.Arg{d.y, d.x}, p.extra)...); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Name, err)
	}
	if d.Contents != nil {
		return d.Contents(d.y), nil
	}
	return w.got, d.y.Read(w.got)
}

// test compares the hashes of a task. Within a program only the sample is tested: the CPU has
// the same kernels there.
func (w *functionWorker) test(k task) error {
	programs := []functionProgram{alone}
	if k.block == golden.Sample {
		programs = append(programs, within)
	}
	golden.Inputs(k.block, w.x)
	if err := w.write(); err != nil {
		return err
	}
	for _, op := range k.ops {
		want := golden.Block(op, k.block)
		for _, d := range w.devices {
			for _, p := range programs {
				if k.block == golden.Sample {
					if err := w.spoil(d); err != nil {
						return err
					}
				}
				got, err := w.run(d, p, op)
				if err != nil {
					return err
				}
				if golden.Hash(got) != want {
					return fmt.Errorf("%s: block %d of %v: %w", d.Name, k.block, p.of(op), firstWrong(op, w.x, got))
				}
			}
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
	return errors.New("the hash of the results is wrong, though they are those of package rounded")
}

func wrongValue(op ir.Op, x, got, want float32) error {
	return fmt.Errorf("%s(%s) is %s and should be %s", op.Info().Name, values.Show(x), values.Show(got), values.Show(want))
}

// hardInputs tests the subjects at the inputs that are hard to round.
func hardInputs(subjects []Subject, ops []ir.Op) error {
	for _, op := range ops {
		if err := hardInputsOf(subjects, op); err != nil {
			return err
		}
	}
	return nil
}

func hardInputsOf(subjects []Subject, op ir.Op) error {
	x, want := golden.Near(op)
	w, err := newFunctionWorker(subjects, len(x))
	if err != nil {
		return err
	}
	defer w.release()
	copy(w.x, x)
	if err := w.write(); err != nil {
		return err
	}
	for _, d := range w.devices {
		for _, p := range []functionProgram{alone, within} {
			if err := w.spoil(d); err != nil {
				return err
			}
			got, err := w.run(d, p, op)
			if err != nil {
				return err
			}
			for i := range want {
				if !values.Same(got[i], want[i]) {
					return fmt.Errorf("%s: %v: %w", d.Name, p.of(op), wrongValue(op, x[i], got[i], want[i]))
				}
			}
		}
	}
	return nil
}
