//go:build opencl && cgo

package gpu

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/libm"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// A way is one in which devices compute functions.
type way struct {
	double, quick, flushes bool
}

// ways has all of them, by name.
var ways = map[string]way{
	"double":                         {true, false, false},
	"double, flushing":               {true, false, true},
	"quick, then double":             {true, true, false},
	"quick, then integers":           {false, true, false},
	"quick, then integers, flushing": {false, true, true},
	"integers":                       {false, false, false},
}

// take makes the device compute functions in the way w, until restore is called. It reports
// whether it can.
func (w way) take(d *device) (restore func(), ok bool) {
	if w.double && !d.found.Double {
		return nil, false
	}
	found, quick, flushes := d.found, d.quick, d.flushes.Load()
	other := *found
	other.Double = w.double
	d.found, d.quick = &other, func() bool { return w.quick }
	d.flushes.Store(w.flushes)
	return func() {
		d.found, d.quick = found, quick
		d.flushes.Store(flushes)
	}, true
}

// functionInputs are special values, bits at random, and numbers of the sizes that matter.
func functionInputs(n int) []float32 {
	r := rand.New(rand.NewPCG(1, 2))
	list := values.Special()
	for i := len(list); i < n; i += 4 {
		list = append(list, math.Float32frombits(r.Uint32()), float32(r.NormFloat64()), float32(40*r.NormFloat64()),
			math.Float32frombits(r.Uint32()&0x807fffff)) // a subnormal number
	}
	return list
}

// compute runs the program of one operand and one result on x.
func computeOn(d *device, p *ir.Program, s shape, guarded bool, x []float32) ([]float32, error) {
	c, err := d.try(kernel.New(p, make([]kernel.Address, 1)), s, guarded)
	if err != nil {
		return nil, err
	}
	d.codes.keep(c)
	y := make([]float32, len(x))
	call := &driver.HostCall{Kernel: c.kernel, Code: c, N: len(x), Total: len(x)}
	for _, v := range [][]float32{y, x} {
		call.Operands = append(call.Operands, kernel.Operand[driver.Host]{Memory: driver.Host{Floats: v}, Len: len(v)})
	}
	return y, d.Stream(context.Background(), call)
}

// TestFunctions compares every function with its body, in all ways, on inputs for which a device
// that flushes subnormal numbers is right too.
func TestFunctions(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	d := inside(b)
	n := 1 << 16
	if testing.Short() {
		n = 1 << 12
	}
	x := functionInputs(n)
	for name, w := range ways {
		t.Run(name, func(t *testing.T) {
			restore, ok := w.take(d)
			if !ok {
				t.Skip("the device has no double")
			}
			defer restore()
			guarded := false
			for op := ir.Exp; op <= ir.SoftsignPrime; op++ {
				body := libm.Body(op)
				if body == nil {
					continue
				}
				name := op.Info().Name
				guarded = !guarded
				y, err := computeOn(d, expr.MustParse("f(x) = "+name+"(x)").IR(), d.shape, guarded, x)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				nodes := make([]uint64, len(body.Nodes))
				for i, x := range x {
					body.Eval(nodes, 0, []uint64{uint64(math.Float32bits(x))})
					want := math.Float32frombits(uint32(nodes[body.Results[0].Value]))
					if !values.Same(y[i], want) {
						t.Errorf("%s of %s is %s, want %s", name, values.Show(x), values.Show(y[i]), values.Show(want))
						break
					}
				}
			}
		})
	}
}

var _ = fmt.Sprint
var _ *opencl.Device
