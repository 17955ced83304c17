//go:build opencl && cgo

package gpu

import (
	"fmt"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/testenv"
	"github.com/gmind-go/compute/internal/values"
)

// TestReduce compares reductions of programs, with operands of all kinds and in views, with
// those of the CPU, where work-items have all lanes, and where they share them.
func TestReduce(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) compute.Backend{
		"alone": func(t *testing.T) compute.Backend { return testenv.Open(t, OpenDevice("any")) },
		"shared": func(t *testing.T) compute.Backend {
			return openAs(t, shape{width: 4, vectors: 2, group: 32, aligned: true, short: true})
		},
		"few": func(t *testing.T) compute.Backend {
			return openAs(t, shape{width: 8, vectors: 1, group: 4, aligned: true})
		},
	} {
		t.Run(name, func(t *testing.T) { testReduce(t, open(t)) })
	}
}

// testReduce compares with the CPU.
func testReduce(t *testing.T, b compute.Backend) {
	t.Helper()
	reference, err := cpu.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer reference.Close()
	all := expr.MustParse(`func f(x, y float32, m bool, r, c, s float32, seed uint32) (v float32) {
		v = where(m, x*r-c, y*s) + rand(seed, 7)
		return
	}`)
	square := expr.MustParse("square(x) = x*x")
	for _, shape := range [][2]int{{97, 45}, {9, 4100}, {4200, 8}, {4200, 1}} {
		rows, columns := shape[0], shape[1]
		for _, kind := range []reduceKind{{compute.Sum, false}, {compute.Max, false}, {compute.Mean, true}, {compute.Min, true}} {
			along := compute.Rows(columns)
			if kind.columns {
				along = compute.Cols(columns)
			}
			for _, p := range []*expr.Program{all, square} {
				if (p == all) != (kind.op == compute.Sum || kind.op == compute.Min) { // each program takes a compilation
					continue
				}
				want := reduceOn(t, reference, kind.op, along, p, rows, columns)
				got := reduceOn(t, b, kind.op, along, p, rows, columns)
				for i := range got {
					if !values.Same(got[i], want[i]) {
						t.Fatalf("%v of %d x %d of %v: element %d is %s, want %s", kind, rows, columns, p.Name(), i, values.Show(got[i]), values.Show(want[i]))
					}
				}
			}
		}
	}
}

// reduceOn reduces p on b. Its operands are in views.
func reduceOn(t *testing.T, b compute.Backend, op compute.Reduction, along compute.Axis, p *expr.Program, rows, columns int) []float32 {
	t.Helper()
	var made []interface{ Release() error }
	defer func() {
		for _, m := range made {
			if err := m.Release(); err != nil {
				t.Error(err)
			}
		}
	}()
	view := func(n, seed int) compute.Buffer {
		x, err := b.Upload(values.Normal(n+seed, uint64(seed)))
		if err != nil {
			t.Fatal(err)
		}
		v, err := x.View(seed, seed+n)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, v, x)
		return v
	}
	n := rows * columns
	args := []compute.Arg{view(n, 3)}
	if len(p.Args()) > 1 {
		m, err := b.AllocMask(n)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, m)
		y := view(n, 8)
		if err := b.ForwardMask(compute.LeakyReLU(0.5), y, m, y); err != nil {
			t.Fatal(err)
		}
		args = append(args, y, m, compute.Row(view(columns, 1)), compute.Col(view(rows, 2)), compute.F32(0.7), compute.U32(12))
	}
	results := rows
	if along.Kind == compute.AxisCols {
		results = columns
	}
	out := view(results, 5)
	if err := b.Reduce(out, op, along, p, args...); err != nil {
		t.Fatal(fmt.Errorf("%v of %d x %d: %w", op, rows, columns, err))
	}
	got := make([]float32, results)
	if err := out.Read(got); err != nil {
		t.Fatal(err)
	}
	return got
}
