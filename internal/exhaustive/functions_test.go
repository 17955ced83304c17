package exhaustive

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/golden"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/testenv"
)

// evaluator is a backend for tests: Run evaluates a program, and changes one result.
type evaluator struct {
	compute.Backend         // nil
	wrongAt         float32 // where a result gets another last bit; never at NaN
	lazy            bool    // whether the last result is not written
}

type plain struct {
	compute.Buffer // nil
	data           []float32
}

func (p *plain) Len() int                { return len(p.data) }
func (p *plain) Write(v []float32) error { copy(p.data, v); return nil }
func (p *plain) Read(v []float32) error  { copy(v, p.data); return nil }
func (p *plain) Release() error          { return nil }

func (e evaluator) Alloc(n int) (compute.Buffer, error) {
	return &plain{data: make([]float32, n)}, nil
}

func (e evaluator) Run(p *expr.Program, args ...compute.Arg) error {
	code := p.IR()
	x := args[len(code.Results)].(*plain).data
	if e.lazy {
		x = x[:len(x)-1]
	}
	nodes := make([]uint64, len(code.Nodes))
	for i, v := range x {
		code.Eval(nodes, 0, []uint64{uint64(math.Float32bits(v))})
		for j, r := range code.Results {
			bits := uint32(nodes[r.Value])
			if v == e.wrongAt && j == len(code.Results)-1 {
				bits ^= 1
			}
			args[j].(*plain).data[i] = math.Float32frombits(bits)
		}
	}
	return nil
}

// TestFunctions: a right backend passes, and one with a single wrong result does not.
func TestFunctions(t *testing.T) {
	if testenv.Exhaustive() || testenv.Raced {
		t.Skip("tests the tests, which have to be short for that")
	}
	ops := []ir.Op{ir.Log1pPrime, ir.Softsign}
	nan := float32(math.NaN())
	sample := make([]float32, golden.BlockSize)
	golden.Inputs(golden.Sample, sample)
	hard, _ := golden.Near(ops[1])
	random, last := sample[len(sample)/5], hard[len(hard)-1]

	for _, trial := range []struct {
		e           evaluator
		block, near string // in the errors
	}{
		{evaluator{wrongAt: nan}, "", ""},
		{evaluator{wrongAt: random}, "softsign(", ""},
		{evaluator{wrongAt: last}, "", "softsign("},
		{evaluator{wrongAt: nan, lazy: true}, "(NaN", "softsign("},
	} {
		subjects := []Subject{{Name: "evaluator", Backend: trial.e}}
		err := runTasks(t, subjects, []task{{golden.Sample, ops[1:]}})
		if (err == nil) != (trial.block == "") || err != nil && !strings.Contains(err.Error(), trial.block) {
			t.Errorf("%+v: the test of a block returns %v", trial.e, err)
		}
		err = hardInputs(subjects, ops)
		if (err == nil) != (trial.near == "") || err != nil && !strings.Contains(err.Error(), trial.near) {
			t.Errorf("%+v: the test of hard inputs returns %v", trial.e, err)
		}
	}
}

// TestTasks: every function is tested on the sample, and has as many blocks as the others.
func TestTasks(t *testing.T) {
	ops := golden.Functions()
	for _, every := range []int{1, 8} {
		list := tasks(ops, every, false)
		if list[0].block != golden.Sample || !slices.Equal(list[0].ops, ops) {
			t.Fatal("the sample is not tested first, with all functions")
		}
		blocks := map[ir.Op]int{}
		for _, task := range list {
			for _, op := range task.ops {
				blocks[op]++
			}
		}
		for _, op := range ops {
			if blocks[op] != blocks[ops[0]] {
				t.Errorf("%s has %d blocks, and %s has %d", op.Info().Name, blocks[op], ops[0].Info().Name, blocks[ops[0]])
			}
		}
	}
}
