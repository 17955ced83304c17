//go:build opencl && cgo

package gpu

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/golden"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/libm"
	"github.com/gmind-go/compute/internal/openclc"
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
	if w.double && !d.found.Double || w.quick && !d.found.Fused {
		return nil, false
	}
	found, quick, flushes, prelude := d.found, d.quick, d.flushes.Load(), d.prelude
	other := *found
	other.Double = w.double
	d.found, d.quick = &other, func() bool { return w.quick }
	d.flushes.Store(w.flushes)
	if w.flushes { // and so do conversions
		const flushed = "select(%s, %[1]s * 0.0f, fabs(%[1]s) < 0x1p-126f)"
		for conversion, flushing := range map[string]string{
			"select(TO_DOUBLES(x), ": "select(TO_DOUBLES(" + fmt.Sprintf(flushed, "x") + "), ",
			"select(TO_FLOATS(x), ":  "select(" + fmt.Sprintf(flushed, "TO_FLOATS(x)") + ", ",
		} {
			d.prelude = strings.ReplaceAll(d.prelude, conversion, flushing)
		}
	}
	return func() {
		d.found, d.quick, d.prelude = found, quick, prelude
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

// functionPrograms have a result for each function, some in each program: a compilation takes long.
func functionPrograms() []*ir.Program {
	var list []*ir.Program
	for some := range slices.Chunk(golden.Functions(), 8) {
		var b ir.Builder
		x := b.Arg("x", ir.F32)
		for _, op := range some {
			b.Result(op.Info().Name, b.Op(op, x))
		}
		list = append(list, b.Program("f"))
	}
	return list
}

// resultsOf runs the program, which has one operand, on x.
func resultsOf(d *device, p *ir.Program, s shape, guarded bool, x []float32) ([][]float32, error) {
	c, err := d.try(kernel.New(p, make([]kernel.Address, 1)), s, openclc.Options{Guarded: guarded})
	if err != nil {
		return nil, err
	}
	d.codes.keep(c)
	call := &driver.HostCall{Kernel: c.kernel, Code: c, N: len(x), Total: len(x)}
	var results [][]float32
	for range p.Results {
		results = append(results, make([]float32, len(x)))
	}
	for _, v := range append(results, x) {
		call.Operands = append(call.Operands, kernel.Operand[driver.Host]{Memory: driver.Host{Floats: v}, Len: len(v)})
	}
	return results, d.Stream(context.Background(), call)
}

// TestFunctions compares every function with its body, in all ways. A device that flushes
// subnormal numbers is right for them too.
func TestFunctions(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	d := inside(b)
	n := 1 << 16
	if testing.Short() {
		n = 1 << 12
	}
	x := functionInputs(n)
	for i, p := range functionPrograms() {
		want := expected(p, x)
		guarded := i%2 == 1
		for name, w := range ways {
			t.Run(name, func(t *testing.T) {
				restore, ok := w.take(d)
				if !ok {
					t.Skip("NOT tested: the device has no double, or no fma")
				}
				defer restore()
				got, err := resultsOf(d, p, d.shape, guarded, x)
				if err != nil {
					t.Fatal(err)
				}
				for j, r := range p.Results {
					for i, x := range x {
						if y, z := got[j][i], want[j][i]; !values.Same(y, z) {
							t.Errorf("%s of %s is %s, want %s", r.Name, values.Show(x), values.Show(y), values.Show(z))
							break
						}
					}
				}
			})
		}
	}
}

// expected returns the results of p, which has one argument.
func expected(p *ir.Program, x []float32) [][]float32 {
	p = libm.Inlined(p)
	nodes := make([]uint64, len(p.Nodes))
	results := make([][]float32, len(p.Results))
	for _, x := range x {
		p.Eval(nodes, 0, []uint64{uint64(math.Float32bits(x))})
		for j, r := range p.Results {
			results[j] = append(results[j], math.Float32frombits(uint32(nodes[r.Value])))
		}
	}
	return results
}

// TestSlowDouble: quick bodies are for devices with fma and without double, or with a slow one,
// which is measured, and not on CPUs.
func TestSlowDouble(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	d := inside(b)
	own := d.found
	defer func() { d.found = own }()
	for _, test := range []struct {
		found opencl.Device
		want  bool
	}{
		{opencl.Device{Type: opencl.GPU, Fused: true}, true},
		{opencl.Device{Type: opencl.CPU, Fused: true}, true},
		{opencl.Device{Type: opencl.GPU}, false},
		{opencl.Device{Type: opencl.GPU, Double: true}, false},
		{opencl.Device{Type: opencl.CPU, Double: true, Fused: true}, false},
		{opencl.Device{Type: opencl.GPU, Double: true, Fused: true, Software: true}, false},
	} {
		d.found = &test.found
		if got := d.slowDouble(); got != test.want {
			t.Errorf("of %+v: %v, want %v", test.found, got, test.want)
		}
	}
	if !own.Double {
		t.Skip("NOT tested on this device, which has no double: the measurement of its speed")
	}
	other := *own
	other.Type, other.Software = opencl.GPU, false
	d.found = &other
	var ratio float64
	err := d.withPipeline(context.Background(), func(p *pipeline) (err error) {
		ratio, err = p.doubleTime()
		return err
	})
	if err != nil || !(ratio > 0) || math.IsInf(ratio, 0) {
		t.Fatalf("double takes %v times as long as float, %v", ratio, err)
	}
	t.Logf("double takes %.2g times as long as float", ratio)
}
