package gonum_test

import (
	"math"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"github.com/gmind-go/compute/cpu"
	"github.com/gmind-go/compute/gonum"
	"github.com/gmind-go/compute/internal/testenv"
)

func TestVecDense(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	columns := mat.NewDense(2, 2, []float64{1, 2, 3, 4})
	for _, test := range []struct {
		v    *mat.VecDense
		want []float32
		back []float64 // in the data, after 10, 20, ... were read
	}{
		{mat.NewVecDense(3, []float64{1, -2, 3}), []float32{1, -2, 3}, []float64{10, 20, 30}},
		{columns.ColView(1).(*mat.VecDense), []float32{2, 4}, []float64{10, 3, 20}},
		{mat.NewVecDense(2, []float64{0.1, -1e300}), []float32{0.1, float32(math.Inf(-1))}, []float64{10, 20}},
		{&mat.VecDense{}, nil, nil},
	} {
		buf, err := gonum.UploadVecDense(b, test.v)
		roundTrip(t, test.v, buf, err, test.want,
			func() error { return gonum.WriteVecDense(buf, test.v) }, func() error { return gonum.ReadVecDense(test.v, buf) })
		if got := test.v.RawVector().Data; !slices.Equal(got, test.back) {
			t.Errorf("reads back as %v, want %v", got, test.back)
		}
	}
}

func TestDense(t *testing.T) {
	b := testenv.Open(t, cpu.Open)
	part := func() *mat.Dense {
		return mat.NewDense(3, 3, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}).Slice(1, 3, 0, 2).(*mat.Dense)
	}
	for _, test := range []struct {
		m    *mat.Dense
		want []float32
		back []float64
	}{
		{mat.NewDense(2, 2, []float64{1, 2, -3, 4}), []float32{1, 2, -3, 4}, []float64{10, 20, 30, 40}},
		{part(), []float32{4, 5, 7, 8}, []float64{10, 20, 6, 30, 40}},
		{part().Slice(0, 1, 0, 2).(*mat.Dense), []float32{4, 5}, []float64{10, 20}},
		{mat.NewDense(1, 2, []float64{0.1, 1e300}), []float32{0.1, float32(math.Inf(1))}, []float64{10, 20}},
		{&mat.Dense{}, nil, nil},
	} {
		buf, err := gonum.UploadDense(b, test.m)
		roundTrip(t, test.m, buf, err, test.want,
			func() error { return gonum.WriteDense(buf, test.m) }, func() error { return gonum.ReadDense(test.m, buf) })
		if got := test.m.RawMatrix().Data; !slices.Equal(got, test.back) {
			t.Errorf("reads back as %v, want %v", got, test.back)
		}
	}
}
