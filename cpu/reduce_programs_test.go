package cpu

import (
	"math/rand/v2"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/driver"
	program "github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/values"
)

// TestReducePrograms compares the reductions of random programs, of parts of a whole, with rows,
// columns, masks and random numbers, with the reference.
func TestReducePrograms(t *testing.T) {
	for _, set := range instructionSets() {
		t.Run(set.name, func(t *testing.T) {
			d := Options{}.device(set)
			defer d.Close()
			tried := 0
			for seed := uint64(0); tried < sampled(400); seed++ {
				r := rand.New(rand.NewPCG(seed, 3))
				k := randomKernel(r, 1+r.IntN(20))
				if len(k.Results) != 1 || k.Results[0] != program.Element {
					continue
				}
				tried++
				rows, columns := 1+r.IntN(70), 1+r.IntN([]int{5, 100, 1000}[r.IntN(3)])
				along := []compute.Axis{compute.All(), compute.Rows(columns), compute.Cols(columns)}[r.IntN(3)]
				op := r.IntN(len(folders))
				if err := tryReduceProgram(d, newTrialMaker(r), k, rows*columns, compute.Reduction(op), along); err != "" {
					t.Fatalf("seed %d, %s along %v: %s", seed, folders[op].name, along, err)
				}
			}
		})
	}
}

// tryReduceProgram returns what is wrong.
func tryReduceProgram(d *device, m *trialMaker, k *program.Kernel, n int, op compute.Reduction, along compute.Axis) string {
	trial := m.make(k, n)
	want := reducedBy(folders[op].of, along, trial.want.Operands[0].Memory.Floats)
	code, err := d.CompileReduce(k, op)
	if err != nil {
		return err.Error()
	}
	c := &driver.ReduceCall{Reduction: op, Along: along}
	c.Kernel, c.Code, c.N, c.Index, c.Total, c.Params = k, code, n, trial.call.Index, trial.call.Total, trial.call.Params
	var out room
	out.all = make([]float32, len(want)+2*margin)
	for i, o := range trial.call.Operands {
		elements := o.Memory.Floats
		if o.Memory.Words != nil {
			elements = asFloats(o.Memory.Words)
		}
		if i == 0 {
			elements, o.Len = out.take(margin, want), len(want)
			clear(elements)
		}
		c.Operands = append(c.Operands, program.Operand[driver.Memory]{Memory: &memory{elements: elements}, Len: o.Len, Period: o.Period})
	}
	if err := d.Reduce(c); err != nil {
		return err.Error()
	}
	for i, v := range out.all[out.lo:out.hi] {
		if !values.Same(v, want[i]) {
			return trial.String() + ": " + values.Show(v) + " should be " + values.Show(want[i])
		}
	}
	for _, g := range trial.rooms[1:] {
		if !g.intact() {
			return trial.String() + ": something beside an operand changed"
		}
	}
	if !out.intact() {
		return trial.String() + ": something beside the result changed"
	}
	return ""
}
