package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/expr"
	"github.com/gmind-go/compute/internal/units"
	"github.com/gmind-go/compute/internal/values"
)

// inputs are normal values, then every step-th bit pattern, and special values.
type inputs struct {
	x      []float32
	normal int // how many
	step   uint64
}

// newInputs returns inputs. The step should be odd, so that all patterns of the low bits occur.
func newInputs(normal int, step uint64) inputs {
	x := functionMemory(normal).x
	for bits := uint64(0); bits <= math.MaxUint32; bits += step {
		x = append(x, math.Float32frombits(uint32(bits)))
	}
	return inputs{append(x, values.Special()...), normal, step}
}

// manyInputs are five million.
func manyInputs() inputs { return newInputs(1<<20, 1021) }

// An accuracy says how far results are from the correctly rounded ones.
type accuracy struct {
	inputs, wrong int
	nan           int     // results that are NaN instead of a number, or the reverse
	most          float64 // the largest error of the others, in ulps of the correctly rounded result
	x, got, want  float32 // where it is
}

// add adds a result. A zero of the other sign counts as right.
func (a *accuracy) add(x, got, want float32) {
	a.inputs++
	if got == want || got != got && want != want {
		return
	}
	a.wrong++
	if got != got || want != want {
		a.nan++
	} else if e := ulps(got, want); e > a.most {
		a.most, a.x, a.got, a.want = e, x, got, want
	}
}

// ulps returns the error of got in units of the last place of want, with 1<<128 for infinity.
func ulps(got, want float32) float64 {
	number := func(v float32) float64 {
		if math.IsInf(float64(v), 0) {
			return math.Copysign(0x1p128, float64(v))
		}
		return float64(v)
	}
	unit := 0x1p-149
	if want != 0 {
		_, exponent := math.Frexp(number(want))
		unit = math.Ldexp(1, max(min(exponent, 128)-24, -149))
	}
	return math.Abs(number(got)-number(want)) / unit
}

// String returns the share of results that are not correctly rounded, and the largest error.
func (a accuracy) String() string {
	if a.wrong == 0 {
		return "0"
	}
	percent := 100 * float64(a.wrong) / float64(a.inputs)
	share := units.Digits(percent) + " %"
	if percent < 0.001 {
		share = "<0.001 %"
	}
	switch {
	case a.most == 0: // only NaNs are wrong
		return share
	case a.most < 1000:
		return fmt.Sprintf("%s, %s ulp", share, units.Digits(a.most))
	}
	return fmt.Sprintf("%s, %.1e ulp", share, a.most)
}

// example returns where the largest error is, and how many results are wrong by a NaN.
func (a accuracy) example() string {
	var parts []string
	if a.most > 0 {
		parts = append(parts, fmt.Sprintf("f(%v) = %v, not %v", a.x, a.want, a.got))
	}
	if a.nan > 0 {
		parts = append(parts, fmt.Sprintf("%d wrong by a NaN", a.nan))
	}
	return strings.Join(parts, "; ")
}

// A functionCheck is the results of one library for one operation.
type functionCheck struct {
	op, column  string
	normal, all accuracy
	err         error // why there are none
}

// add compares the results for all inputs.
func (c *functionCheck) add(in inputs, got, want []float32) {
	for i, x := range in.x {
		if i < in.normal {
			c.normal.add(x, got[i], want[i])
		} else {
			c.all.add(x, got[i], want[i])
		}
	}
}

// printChecks prints a table with a row for each operation and a column for each library.
func printChecks(w io.Writer, list []functionCheck, columns []string, cell func(c functionCheck) string) {
	rows := [][]string{append([]string{"function"}, columns...)}
	row := map[string]int{}
	for _, c := range list {
		i, ok := row[c.op]
		if !ok {
			i = len(rows)
			row[c.op] = i
			rows = append(rows, append([]string{c.op}, make([]string, len(columns))...))
		}
		text := cell(c)
		if c.err != nil {
			text = c.err.Error()
		}
		rows[i][1+slices.Index(columns, c.column)] = text
	}
	printTable(w, 1, rows)
}

// checkFunctions compares the functions of b and of its rivals with the reference, which is
// correctly rounded, and prints to w how much they differ. It returns an error if a bit of b
// differs. A missing peer is one line.
func checkFunctions(functions []string, in inputs, b compute.Backend, rivals []*rival, w, progress io.Writer) error {
	h := newMemory(in.x, slices.Repeat([]float32{1}, len(in.x)))
	fmt.Fprintf(w, "\nFunctions of %s, and of\n", b.Info().Name)
	for _, r := range rivals {
		fmt.Fprintf(w, "- %s\n", r)
	}
	columns := []string{colOurs}
	for _, r := range rivals {
		if r.err == nil {
			columns = append(columns, r.column)
		}
	}
	var list []functionCheck
	var failed error
	err := withBuffers(b, h, func(x, dy, y compute.Buffer) error {
		for _, name := range functions {
			for _, form := range functionForms {
				if form.name == "derivative" {
					continue // it is backward with dy = 1
				}
				op := strings.TrimSuffix(name+" "+form.name, " forward")
				fmt.Fprintf(progress, "checking %s\n", op)
				p := form.of(name)
				want := reference(form, p, h)
				add := func(column string, err error) {
					c := functionCheck{op: op, column: column, err: err}
					if err == nil {
						c.add(in, h.out, want)
					}
					list = append(list, c)
				}
				if err := b.Run(p, form.args(y, dy, x)...); err != nil {
					return err
				}
				if err := y.Read(h.out); err != nil {
					return err
				}
				add(colOurs, nil)
				failed = errors.Join(failed, firstDifference(op, h.x, h.out, want))
				for _, r := range rivals {
					if op := name + form.suffix; r.has[op] {
						add(r.column, r.resultOf(op, h, h.out))
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(w, `
The share of results that are not correctly rounded, and the largest error in ulps of the right
result. A zero of the wrong sign counts as right. Backward has the gradient dy = 1, so that it
is the derivative. For %s normal values with the standard deviation 2:

`, units.Count(in.normal))
	printChecks(w, list, columns, func(c functionCheck) string { return c.normal.String() })
	fmt.Fprintf(w, "\nFor %d values, every %dst of all float32 and special ones:\n\n", len(in.x)-in.normal, in.step)
	printChecks(w, list, columns, func(c functionCheck) string { return c.all.String() })
	fmt.Fprint(w, "\nWhere the largest of these errors are, if above 1 ulp:\n")
	for _, c := range list {
		if c.all.most > 1 || c.all.nan > 0 {
			fmt.Fprintf(w, "- %s, %s: %s\n", c.op, c.column, c.all.example())
		}
	}
	return failed
}

// reference returns the correctly rounded results, computed by all cores.
func reference(form functionForm, p *expr.Program, h *memory) []float32 {
	want := make([]float32, len(h.x))
	var wait sync.WaitGroup
	parts := runtime.GOMAXPROCS(0)
	for part := range parts {
		wait.Add(1)
		go func() {
			defer wait.Done()
			for i := part; i < len(want); i += parts {
				want[i] = form.eval(p, h.dy[i], h.x[i])
			}
		}()
	}
	wait.Wait()
	return want
}

// firstDifference returns an error if a bit of got differs from want.
func firstDifference(label string, x, got, want []float32) error {
	for i, v := range got {
		if !values.Same(v, want[i]) {
			return fmt.Errorf("%s of %s is %s and should be %s", label, values.Show(x[i]), values.Show(v), values.Show(want[i]))
		}
	}
	return nil
}
