// Package familytest tests the activations of a backend.
package familytest

import (
	"slices"
	"testing"

	"github.com/gmind-go/compute"
	"github.com/gmind-go/compute/internal/form"
	"github.com/gmind-go/compute/internal/values"
)

// Run compares the results of the forms of activations, of those that each has, with the
// reference: for all pairs of special values and for random ones.
func Run(t *testing.T, b compute.Backend, list []compute.Activation, forms []form.Form) {
	t.Helper()
	var xs, dys []float32
	for _, x := range values.Special() {
		for _, dy := range values.Special() {
			xs, dys = append(xs, x), append(dys, dy)
		}
	}
	xs = slices.Concat(xs, values.Normal(2000, 1), values.Bits(2000, 2))
	dys = slices.Concat(dys, values.Bits(2000, 3), values.Normal(2000, 4))
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var args form.Args
	for _, o := range []form.Operand{form.X, form.DY, form.Y, form.D, form.DX} {
		buf, err := b.Upload(map[bool][]float32{true: xs, false: dys}[o == form.X])
		must(err)
		defer buf.Release()
		*args.Buffer(o) = buf
	}
	m, err := b.AllocMask(len(xs))
	must(err)
	defer m.Release()
	args.M = m
	flushes := b.Info().FlushesSubnormals
	got, words := make([]float32, len(xs)), make([]uint64, form.MaskWords(len(xs)))
	for _, f := range list {
		right := form.NewReference(f, dys, xs)
		for _, fm := range form.AllOf(f) {
			if !slices.Contains(forms, fm) {
				continue
			}
			must(fm.Run(b, f, args))
			for _, o := range fm.Results() {
				wrong := ""
				if o == form.M {
					must(m.Read(words))
					wrong = right.WrongBits(fm, words, flushes)
				} else {
					must((*args.Buffer(o)).Read(got))
					wrong = right.Wrong(fm, o, got, flushes)
				}
				if wrong != "" {
					t.Error(wrong)
				}
			}
		}
	}
}
