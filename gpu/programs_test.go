//go:build opencl && cgo

package gpu

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/gpu/internal/opencl"
	"github.com/gmind-go/compute/internal/driver"
	"github.com/gmind-go/compute/internal/ir"
	"github.com/gmind-go/compute/internal/kernel"
	"github.com/gmind-go/compute/internal/openclc"
	"github.com/gmind-go/compute/internal/randprog"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// programsEnv is the number of random programs that TestRandomPrograms tries.
const programsEnv = "PROGRAMS"

// randomKernel returns the kernel of a random program that backends run, with operands at
// random addresses.
func randomKernel(r *rand.Rand) *kernel.Kernel {
	for {
		p := randprog.New(r, randprog.Options{Operations: 30})
		q := *p
		q.Results = nil
		for _, result := range p.Results {
			if p.Nodes[result.Value].Type != ir.U32 {
				q.Results = append(q.Results, result)
			}
		}
		if len(q.Results) == 0 {
			continue
		}
		addresses := make([]kernel.Address, len(p.Args))
		for i, a := range p.Args {
			choice := argumentAddresses[a.Type]
			addresses[i] = choice[r.IntN(len(choice))]
		}
		if k := kernel.New(ir.Simplify(&q), addresses); k.Body.Size() >= 3 { // not only constants
			return k
		}
	}
}

// argumentAddresses are those that arguments have, by type.
var argumentAddresses = map[ir.Type][]kernel.Address{
	ir.F32:  {kernel.Element, kernel.Element, kernel.Element, kernel.Row, kernel.Col, kernel.Scalar},
	ir.U32:  {kernel.Scalar},
	ir.Bool: {kernel.Bit, kernel.Bit, kernel.Scalar},
}

// checkAll compares kernels with their references, all compiled in one program: that takes
// less time. It returns what is wrong with one, by index.
func checkAll(d *device, list []*kernel.Kernel, s shape, o openclc.Options) (map[int]error, error) {
	source := strings.Builder{}
	codes := make([]*code, len(list))
	texts := make([]string, len(list))
	source.WriteString(d.defines(s) + d.prelude)
	printed := map[ir.Op]bool{} // functions
	for i, k := range list {
		c := &code{kernel: k, name: fmt.Sprintf("k%d", i), shape: s, guarded: o.Guarded, views: o.Views}
		c.args, _ = openclc.Arguments(k, o)
		o := d.printed(c)
		o.Printed = printed
		text, err := openclc.Print(k, o)
		if err != nil {
			return nil, err
		}
		codes[i], texts[i] = c, text
		source.WriteString("\n" + text)
	}
	program, err := d.context.Build(source.String(), d.options())
	if err != nil {
		return nil, err
	}
	defer program.Release()
	wrong := map[int]error{}
	for i, c := range codes {
		compiled, err := program.NewKernel(c.name, c.args)
		if err == nil {
			err = d.withPipeline(context.Background(), func(p *pipeline) error { return p.check(c, compiled, texts[i]) })
			compiled.Release()
		}
		if err != nil {
			wrong[i] = err
		}
	}
	return wrong, nil
}

// TestRandomPrograms compares random programs with their references: in the shapes of all
// devices, with each way to divide, guarded, and of views. PROGRAMS is the number of programs.
func TestRandomPrograms(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	d := inside(b)
	own := *d.found
	without := own
	without.ExactDivision = false
	integers := without
	integers.Double = false
	devices := []*opencl.Device{&own, &without, &integers}
	d.quick = func() bool { return d.found.Fused && !d.found.Double }
	shapes := []shape{
		d.shape.masked(),
		{width: 8, vectors: 2, group: 64, short: true},
		{width: 8, vectors: 1, group: 128, aligned: true, short: true},
		{width: 16, vectors: 2, group: 32},
	}
	rebuilt := 0
	programs, batch := 60, 20
	if testing.Short() {
		programs = 20
	}
	if n, err := strconv.Atoi(os.Getenv(programsEnv)); err == nil {
		programs, batch = n, 50
	}
	for from := 0; from < programs; from += batch {
		r := rand.New(rand.NewPCG(uint64(from), 1))
		var list []*kernel.Kernel
		for range min(batch, programs-from) {
			list = append(list, randomKernel(r))
		}
		turn := from / batch
		d.found = devices[turn%len(devices)]
		s, o := shapes[turn%len(shapes)], openclc.Options{Guarded: turn%5 == 4, Views: turn%3 == 2}
		s.aligned = s.aligned && !o.Views
		wrong, err := checkAll(d, list, s, o)
		if err != nil {
			t.Fatalf("programs from %d on: %v", from, err)
		}
		for i, first := range wrong {
			t.Logf("program %d, shape %+v: %v", from+i, s, first)
			again, err := checkAll(d, list[i:i+1], s, openclc.Options{Guarded: true, Views: o.Views}) // as Compile does
			if err != nil || again[0] != nil {
				t.Errorf("program %d, shape %+v, guarded: %v, %v", from+i, s, err, again[0])
			}
			rebuilt++
		}
		if testing.Verbose() && turn%20 == 19 {
			fmt.Printf("%d programs\n", from+batch)
		}
	}
	d.found = &own
	t.Logf("%d random programs, of which %d were guarded since the driver compiles them wrong otherwise", programs, rebuilt)
}

// TestDivision compares each way to divide, and to take the square root, with that of Go: on
// any bits, on subnormal operands and results, and on quotients next to a tie.
func TestDivision(t *testing.T) {
	b := testenv.Open(t, OpenDevice("any"))
	d := inside(b)
	n := 1 << 18
	if testing.Short() {
		n = 1 << 14
	}
	x, y := values.Bits(n, 1), values.Bits(n, 2)
	for i := range n / 2 { // x is about y times some number of 24 or 25 bits, and small at times
		q := float32(1<<24+i) * math.Float32frombits(uint32(i%64)<<23+1<<22)
		x[i] = float32(y[i] * q)
	}
	for i := range n / 16 { // ties, of which only subnormal results have some
		x[i], y[i] = math.Float32frombits(uint32(i*37)), float32(int(2)<<(i%5))
	}
	for name, drop := range map[string]func(*opencl.Device){
		"native": func(*opencl.Device) {},
		"double": func(o *opencl.Device) { o.ExactDivision = false },
		"integers": func(o *opencl.Device) {
			o.ExactDivision, o.Double = false, false
		},
	} {
		t.Run(name, func(t *testing.T) {
			own := d.found
			found := *own
			drop(&found)
			d.found = &found
			defer func() { d.found = own }()
			p := expr.MustParse("func " + name + "(x, y float32) (q, r float32) {\n q = x / y\n r = sqrt(x)\n return }")
			c, err := d.try(kernel.New(p.IR(), make([]kernel.Address, 2)), d.shape, openclc.Options{})
			if err != nil {
				t.Fatal(err)
			}
			d.codes.keep(c)
			q, r := make([]float32, n), make([]float32, n)
			call := &driver.HostCall{Kernel: c.kernel, Code: c, N: n, Total: n}
			for _, v := range [][]float32{q, r, x, y} {
				call.Operands = append(call.Operands, kernel.Operand[driver.Host]{Memory: driver.Host{Floats: v}, Len: n})
			}
			if err := d.Stream(context.Background(), call); err != nil {
				t.Fatal(err)
			}
			wrong := 0
			for i := range n {
				quotient, root := x[i]/y[i], float32(math.Sqrt(float64(x[i])))
				loose := d.flushes.Load() && (values.IsSubnormal(x[i]) || values.IsSubnormal(y[i]) || math.Abs(float64(quotient)) <= 0x1p-126)
				if loose || values.Same(q[i], quotient) && values.Same(r[i], root) {
					continue
				}
				if wrong++; wrong < 4 {
					t.Errorf("of %s and %s: %s and %s, want %s and %s", values.Show(x[i]), values.Show(y[i]), values.Show(q[i]), values.Show(r[i]), values.Show(quotient), values.Show(root))
				}
			}
			if wrong > 0 {
				t.Errorf("%d of %d are wrong", wrong, n)
			}
		})
	}
}
