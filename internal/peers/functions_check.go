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

// share returns the share of inputs whose result is not correctly rounded.
func (a *accuracy) share() string {
	if a.wrong == 0 {
		return "0"
	}
	percent := 100 * float64(a.wrong) / float64(a.inputs)
	if percent < 0.001 {
		return "<0.001 %"
	}
	return units.Digits(percent) + " %"
}

// largest returns the largest error.
func (a *accuracy) largest() string {
	switch {
	case a.most == 0:
		return "0"
	case a.most >= 1000:
		return fmt.Sprintf("%.1e", a.most)
	}
	return units.Digits(a.most)
}

// cells returns the cells of a table for results of one operation, or for why there are none.
func (in inputs) cells(got, want []float32, err error) []string {
	if err != nil {
		return []string{err.Error(), "", "", "", "", ""}
	}
	var ordinary, all accuracy
	for i, x := range in.x {
		if i < in.normal {
			ordinary.add(x, got[i], want[i])
		} else {
			all.add(x, got[i], want[i])
		}
	}
	nan, where := "", ""
	if all.nan > 0 {
		nan = fmt.Sprint(all.nan)
	}
	if all.most > 0 {
		where = fmt.Sprintf("f(%v) = %v, not %v", all.x, all.want, all.got)
	}
	return []string{ordinary.share(), ordinary.largest(), all.share(), all.largest(), nan, where}
}

// checkFunctions compares the functions of b and of its rivals with the reference, which is
// correctly rounded, and prints to w how much they differ. It returns an error if a bit of b
// differs. A missing peer is one line, and a function that a peer or b has not, a cell or none.
func checkFunctions(functions []string, in inputs, b compute.Backend, rivals []*rival, w, progress io.Writer) error {
	h := newMemory(in.x, slices.Repeat([]float32{1}, len(in.x)))
	fmt.Fprintf(w, "\nFunctions of %s, and of\n", b.Info().Name)
	for _, r := range rivals {
		fmt.Fprintf(w, "- %s\n", r)
	}
	fmt.Fprintf(w, `
The share of results that are not correctly rounded, and the largest error in ulps of the right
result: first of %s normal values with the standard deviation 2, then of %d values, every
%dst of all float32 and special ones. Results that are NaN instead of a number, or the reverse,
are counted apart. A zero of the wrong sign counts as right. Backward has the gradient dy = 1,
so that it is the derivative.

`, units.Count(in.normal), len(in.x)-in.normal, in.step)
	rows := [][]string{{"function", "by", "wrong", "error", "of all, wrong", "error", "NaN", "where the error is largest"}}
	var failed error
	err := withBuffers(b, h, func(x, dy, y compute.Buffer) error {
		for _, name := range functions {
			for _, form := range functionForms {
				if form.name == "derivative" {
					continue // it is backward with dy = 1
				}
				label := strings.TrimSuffix(name+" "+form.name, " forward")
				fmt.Fprintf(progress, "checking %s\n", label)
				p := form.of(name)
				want := reference(form, p, h)
				add := func(column string, err error) {
					rows = append(rows, append([]string{label, column}, in.cells(h.out, want, err)...))
				}
				switch err := b.Run(p, form.args(y, dy, x)...); {
				case errors.Is(err, errors.ErrUnsupported):
					add(colOurs, errors.ErrUnsupported)
				case err != nil:
					return err
				default:
					if err := y.Read(h.out); err != nil {
						return err
					}
					add(colOurs, nil)
					failed = errors.Join(failed, firstDifference(label, h.x, h.out, want))
				}
				for _, r := range rivals {
					if op := name + form.suffix; r.has[op] {
						add(r.column, r.resultOf(op, h, h.out))
					}
				}
			}
		}
		return nil
	})
	printTable(w, 2, rows)
	return errors.Join(err, failed)
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
